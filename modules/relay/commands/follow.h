/* SPDX-License-Identifier: MPL-2.0 */

/* follow.h - the commands follow and top, which end with their client. */
#ifndef FOLLOW_H
#define FOLLOW_H

#include <strelaysrv/module.h>

/* Each ended by one without a name. */
extern const struct relay_command_def watch_commands[]; /* follow.c */
/* The function `run` of the command top.  [C] */
enum relay_step top(struct relay_ctx *cx, struct relay_answer *to);

#endif

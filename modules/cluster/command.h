/* SPDX-License-Identifier: MPL-2.0 */

/* command.h - the command `cluster` of -ctl.  [C] */
#ifndef CLUSTER_COMMAND_H
#define CLUSTER_COMMAND_H

#include <strelaysrv/module.h>

/* 0, or -1 with err. */
int command_init(struct relay_ctx *cx, struct relay_err *err);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* stored.h - the used traffic in the state file: read, written, missing. */
#ifndef STORED_H
#define STORED_H

#include <stdbool.h>

#include <strelaysrv/module.h>

struct conf;

/* Whether a start without the file is allowed.  0, or -1 with err. */
int stored_may_be_missing(const struct conf *conf, struct relay_err *err);
/* Reads the file at the start.  0, or -1 with err. */
int stored_read(struct relay_ctx *cx, struct relay_err *err);
/* Writes the file, unless another process has taken over.  Logs an error. */
void stored_save(struct relay_ctx *cx);
/* Whether somebody has removed the file of this process.  Logs it. */
bool stored_is_gone(struct relay_ctx *cx);

#endif

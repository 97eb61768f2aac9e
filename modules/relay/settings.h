/* SPDX-License-Identifier: MPL-2.0 */

/*
 * settings.h - what follows from the options: read before a start or a reload,
 * then put in force.  All but settings_files_read() are [C].
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <strelaysrv/module.h>

#include "relay/data.h"

/* Whether the options are valid, as struct relay_module says. */
int settings_check(const void *values, struct relay_err *err);
/* Warns of options that are allowed, but probably not meant; as struct
 * relay_hooks says. */
void settings_advise(struct relay_ctx *cx, const void *values);
/* The same for -check, with what only helps before the start. */
void settings_advise_check(struct relay_ctx *cx, const void *values);
/* Reads the token's hash, a struct join_token, as struct relay_hooks says. */
int settings_files_read(
	const void *values, void **files, struct relay_err *err);
/* Takes over the token, and reads the exempt addresses into struct relay_next.
 * 0, or -1 with err; then one of the next two. */
int settings_prepare(struct relay_ctx *cx, const struct relay_conf *conf,
	struct relay_err *err);
/* Puts that in force. */
void settings_commit(struct relay_ctx *cx);
void settings_abandon(struct relay_ctx *cx);
/* Logs whether joining needs another token than before; its value must not be
 * logged. */
void settings_log_token_change(struct relay_ctx *cx,
	const struct join_token *was, const struct join_token *is);

#endif

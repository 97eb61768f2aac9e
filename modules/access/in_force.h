/* SPDX-License-Identifier: MPL-2.0 */

/*
 * in_force.h - the policy in force: read and taken at the start, and replaced
 * by a reload, or when a file turns out to have been half-written.
 */
#ifndef IN_FORCE_H
#define IN_FORCE_H

#include <strelaysrv/module.h>

/* Functions of these names in struct relay_module and struct relay_hooks. */
int in_force_files_read(const void *conf, void **files, struct relay_err *err);
void in_force_files_free(void *files);
int in_force_start(struct relay_ctx *cx, struct relay_err *err);
int in_force_reload_prepare(
	struct relay_ctx *cx, const void *values, struct relay_err *err);
void in_force_reload_commit(struct relay_ctx *cx);
void in_force_advise(struct relay_ctx *cx, const void *conf);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* setup.h - what the options say, checked, with the password's file. */
#ifndef CLUSTER_SETUP_H
#define CLUSTER_SETUP_H

#include <strelaysrv/module.h>

#include "cluster/conf.h"

struct setup;

/* Looks at the options alone.  0, or -1 with err. */
int setup_check(const void *conf, struct relay_err *err);
/* The hooks of struct relay_hooks. */
int setup_files_read(const void *conf, void **files, struct relay_err *err);
void setup_files_free(void *files);
/* Fills *out, which borrows from `conf`. */
int setup_make(struct relay_ctx *cx, const struct conf *conf, const void *files,
	struct setup *out, struct relay_err *err);
/* Whether both reach the registry in the same way, but for the password. */
bool setup_same_server(const struct conf *one, const struct conf *other);
/* Wipes the password and the keys. */
void setup_wipe(struct setup *setup);
/* The name of this node: the option, or the machine's.  0, or -1 with err. */
int setup_node(
	const struct conf *conf, char *out, size_t cap, struct relay_err *err);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * in_force.h - the policy in force: read and taken at the start, and replaced
 * by a reload, or when a file turns out to have been half-written.
 */
#ifndef IN_FORCE_H
#define IN_FORCE_H

#include <pthread.h>

#include <strelaysrv/module.h>

#include "banned.h"
#include "policy.h"

/* Shared by all threads. */
struct data {
	struct banned banned; /* first, see banned.c; has a lock of its own */
	pthread_mutex_t lock;
	struct policy *policy;  /* owned */
	bool other_bans;        /* the reload names another file; [C] */
	int64_t watch_until_ms; /* [C] */
	struct relay_log_kind unseen;
	struct relay_metric *refused;
};

/* Functions of these names in struct relay_module and struct relay_hooks. */
int in_force_files_read(const void *conf, void **files, struct relay_err *err);
void in_force_files_free(void *files);
int in_force_start(struct relay_ctx *cx, struct relay_err *err);
int in_force_reload_prepare(
	struct relay_ctx *cx, const void *values, struct relay_err *err);
void in_force_reload_commit(struct relay_ctx *cx);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * remote_answer.h - the way of answers to modules that may be gone.
 */
#ifndef REMOTE_ANSWER_H
#define REMOTE_ANSWER_H

#include <stdint.h>

#include <strelaysrv/module.h>

#include "relay/remote_service.h"

/*
 * Who gets an answer.  It travels between threads and names its module by a
 * number, because the module may be gone when the answer comes.
 */
struct remote_to {
	uint64_t serial; /* of the watcher */
	relay_post_fn *fn;
};

/* Functions of the service.  [C] */
int remote_answer_watch(struct relay_ctx *self, struct relay_ctx *to);
void remote_answer_unwatch(struct relay_ctx *self, struct relay_ctx *to);
/* [C]  0, or -1: it does not watch. */
int remote_answer_to(struct relay_ctx *self, const struct relay_ctx *cx,
	relay_post_fn *fn, struct remote_to *out);

/* How many answers were lost. */
uint64_t remote_answers_lost(struct relay_ctx *self);
/* Counts one that does not come, since memory is short, and logs it.  [*] */
void remote_answer_lost(struct relay_ctx *cx, const char *what);

/* Sends an answer on its way.  [*]  If memory is short, it is lost. */
void remote_answer_ask(struct relay_ctx *cx, const struct remote_to *to,
	const struct remote_answer *answer);
void remote_answer_probe(struct relay_ctx *cx, const struct remote_to *to,
	const struct remote_conn *answer);

#endif

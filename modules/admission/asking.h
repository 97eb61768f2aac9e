/* SPDX-License-Identifier: MPL-2.0 */

/* asking.h - from a question to its answer, on the control thread. */
#ifndef ASKING_H
#define ASKING_H

#include <strelaysrv/module.h>

#include "asker.h"

/* Messages of workers, which have counted the question as waiting: a struct
 * question that is new; a struct asked whose answer is an earlier one. */
relay_post_fn asking_begin;
relay_post_fn asking_recall;
/* Of a worker: who has that ticket has left. */
struct asking_leaver {
	uint64_t ticket; /* its number */
	struct queue_key source;
};
relay_post_fn asking_left;
/* Of the asking thread. */
relay_post_fn asking_told;
/* Its answer cannot be told: there is no memory.  Any thread. */
void asking_lost(struct relay_ctx *cx, const struct asked *asked);

/* What a peer is told that is denied. */
enum relay_refusal asking_refusal(const struct question *question);
/* [C] Has it asked, or fails it. */
void asking_ask(struct relay_ctx *cx, struct question *question);

#endif

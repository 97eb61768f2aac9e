/* SPDX-License-Identifier: MPL-2.0 */

/*
 * asker.h - the thread that asks the endpoint, with a loop of its own.
 *
 * It has a queue, and as many requests under way as there may be connections.
 */
#ifndef ASKER_H
#define ASKER_H

#include <pthread.h>

#include "transfer.h"

struct asker;
struct job;

/* How a question has gone. */
struct asked {
	struct question question;
	enum failure failure;
	struct answer answer; /* with a failure: only `reason` */
	int64_t took_ms;      /* since it was put into the queue */
	unsigned generation; /* of the setup it was asked with; 0: it was not */
};

/* [C] NULL with err.  `told` is called on the control thread, with a struct
 * asked; `lost` on any thread, if memory is too short for that. */
struct asker *asker_start(struct relay_ctx *cx, const struct libcurl *curl,
	struct setup *setup, relay_post_fn *told,
	void (*lost)(struct relay_ctx *cx, const struct asked *asked),
	struct relay_err *err);
/* [C] Ends the thread and whatever it asks; `told` is not called for that.
 * NULL is allowed. */
void asker_stop(struct asker *asker);
/* [C] Asks until that time of the monotonic clock, in ms, if there is room.
 * With QUEUE_MADE_ROOM *lost is a question that was dropped for it. */
enum queue_room asker_push(struct asker *asker, const struct question *question,
	int64_t until_ms, struct question *lost);
/* [C] Nobody waits any more for the question of that source with that ticket;
 * it is dropped if it has not begun.  How many questions. */
unsigned asker_drop(
	struct asker *asker, const struct queue_key *source, uint64_t ticket);
/* [C] How many more of that source may wait, if there are places. */
unsigned asker_room(struct asker *asker, const struct queue_key *source);
/* [C] For what begins from now on.  Takes over one hold. */
void asker_use(struct asker *asker, struct setup *setup);
/* [C] Whether it was asked with a setup that is not in use any more. */
bool asker_is_outdated(const struct asker *asker, const struct asked *asked);
/* [*] */
unsigned asker_queued(const struct asker *asker);
unsigned asker_open(const struct asker *asker);

#endif

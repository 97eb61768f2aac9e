/* SPDX-License-Identifier: MPL-2.0 */

/* talk.h - a connection with what has been asked on it and what comes back. */
#ifndef REDIS_TALK_H
#define REDIS_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/redis/asked.h"
#include "cluster/redis/redis_counts.h"
#include "cluster/redis/resp.h"
#include "cluster/redis/wire.h"

/* The most that waits to be sent; more commands are refused. */
#define TALK_MOST (4 * 1024 * 1024)

struct talk_calls {
	void (*opened)(void *arg);
	void (*replied)(
		void *arg, const struct asked *asked, const struct resp *reply);
	/* Something came that nothing waits for, such as a message. */
	void (*pushed)(void *arg, const struct resp *reply);
	/* It is closed; what has been asked is in the queue still. */
	void (*lost)(void *arg, const char *why);
};

struct talk {
	struct wire wire;
	struct asked_queue queue;
	struct resp_reader reader;
	const struct talk_calls *calls;
	void *arg;
	struct redis_counts *counts; /* borrowed */
	int64_t heard_us;            /* when anything came */
	int64_t probed_us; /* when a sign of life was asked for, the first
			      time since then */
};

void talk_init(struct talk *talk, const struct talk_calls *calls, void *arg,
	struct redis_counts *counts);
/* Sends a command, whose answer is replied.  0; or -1: the queue is full, or
 * there is no memory. */
int talk_ask(struct talk *talk, const struct asked *asked,
	const struct resp_part *parts, size_t count);
/* The same, but the answer is pushed. */
int talk_say(struct talk *talk, const struct resp_part *parts, size_t count);
/* Calls nothing, and keeps the queue. */
void talk_close(struct talk *talk);
/* Closed before. */
void talk_free(struct talk *talk);

/* A sign of life is asked for now. */
void talk_probed(struct talk *talk, int64_t now_us);
/* Whether one is missing for so long.  A process that was stopped meanwhile has
 * asked for none. */
bool talk_is_silent(const struct talk *talk, int64_t for_us, int64_t now_us);

/* The monotonic clock in microseconds. */
int64_t talk_now_us(void);

#endif

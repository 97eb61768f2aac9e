/* SPDX-License-Identifier: MPL-2.0 */

/* asker_state.h - what the asking thread shares with those who ask. */
#ifndef ASKER_STATE_H
#define ASKER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "shared/standing_timer.h"
#include "queue.h"
#include "transfer.h"

struct asked;

struct job {
	struct queue_item waits; /* first, so that it is the job */
	struct job *next, *prev; /* in `running` */
	struct question question;
	int64_t began_ms, until_ms; /* of the monotonic clock */
	unsigned tries, generation; /* of the setup of the last */
	struct transfer *transfer;  /* NULL: it waits */
};

struct asker {
	struct relay_ctx *cx;
	relay_post_fn *told;
	void (*lost)(struct relay_ctx *cx, const struct asked *asked);
	pthread_t thread;
	int wake; /* eventfd */
	_Atomic unsigned queued, open;
	unsigned places;      /* for both; [C] */
	unsigned generation;  /* of the newest setup; [C] */
	pthread_mutex_t lock; /* of the next four */
	int64_t new_until_ms; /* when the first new one is late */
	struct queue queue;   /* of jobs */
	struct setup *next;   /* held; NULL: nothing new */
	bool stop;
	/* On the thread only. */
	struct event_base *base;
	struct event *woken;
	struct standing_timer expiry;
	int64_t look_ms; /* when it looks for late ones; INT64_MAX: never */
	struct curl_loop loop;
	struct setup *setup; /* held */
	struct job *running; /* utlist */
	struct transfer *idle[64];
	unsigned idle_count;
};

/* The one whose turn it is; NULL: none waits.  Any thread. */
struct job *asker_take(struct asker *asker);
/* The loop of the thread.  0, or -1; what was opened is to be closed then. */
int asker_thread_open(struct asker *asker, const struct libcurl *curl);
/* The thread; the argument is the asker. */
void *asker_thread_run(void *arg);

#endif

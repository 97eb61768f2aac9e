/* SPDX-License-Identifier: MPL-2.0 */

/*
 * outbox.h - a queue of news from a keeper's thread.
 *
 * One thread adds news and another takes them; each call holds the lock.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <pthread.h>
#include <stdbool.h>

#include <strelaysrv/err.h>

#include "gateway.h"

#define OUTBOX_NEWS 8

enum keeper_what {
	KEEPER_MAPPED, /* a new mapping, or another address */
	KEEPER_LOST,   /* the mapping is gone */
	KEEPER_FAILED, /* attempts fail from now on; only logged */
	KEEPER_ABSENT, /* the same, because there is no gateway */
};

struct keeper_news {
	enum keeper_what what;
	struct gateway_mapping mapping; /* KEEPER_MAPPED */
	uint16_t port;                  /* of ours, that is mapped */
	struct relay_err why;           /* all others */
};

struct outbox {
	pthread_mutex_t lock; /* of what follows */
	struct keeper_news news[OUTBOX_NEWS];
	unsigned count;
	struct refusals refused;
	int fd; /* eventfd, constant: readable when there is news */
};

/* 0, or -1 with err. */
int outbox_init(struct outbox *box, struct relay_err *err);
void outbox_finish(struct outbox *box);

/* Adds news; drops the oldest if the queue is full. */
void outbox_put(struct outbox *box, const struct keeper_news *news);
/* Adds the refusals, and sets *refusals to 0. */
void outbox_put_refusals(struct outbox *box, struct refusals *refusals);

/* Takes the oldest news.  False: there is none. */
bool outbox_take(struct outbox *box, struct keeper_news *out);
/* Takes all refusals since the last call. */
void outbox_take_refusals(struct outbox *box, struct refusals *out);

#endif

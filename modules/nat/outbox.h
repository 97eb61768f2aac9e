/* SPDX-License-Identifier: MPL-2.0 */

/*
 * outbox.h - what a keeper's thread has to say, until it is fetched.
 *
 * One thread puts in, another takes out; each call locks it.
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
	KEEPER_LOST,   /* what was mapped is so no more */
	KEEPER_FAILED, /* attempts, from now on; for the log only */
	KEEPER_ABSENT, /* the same, for want of anybody to ask */
};

struct keeper_news {
	enum keeper_what what;
	struct gateway_mapping mapping; /* KEEPER_MAPPED */
	struct relay_err why;           /* all others */
};

struct outbox {
	pthread_mutex_t lock; /* of what follows */
	struct keeper_news news[OUTBOX_NEWS];
	unsigned count;
	struct refusals refused;
	int fd; /* eventfd, constant: readable when there is something */
};

/* 0, or -1 with err. */
int outbox_init(struct outbox *box, struct relay_err *err);
void outbox_finish(struct outbox *box);

/* The oldest news goes when there is no room. */
void outbox_put(struct outbox *box, const struct keeper_news *news);
/* Adds them, and sets them to 0. */
void outbox_put_refusals(struct outbox *box, struct refusals *refusals);

/* The oldest news.  False: there is none. */
bool outbox_take(struct outbox *box, struct keeper_news *out);
/* All that were put in since the last call. */
void outbox_take_refusals(struct outbox *box, struct refusals *out);

#endif

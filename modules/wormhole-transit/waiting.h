/* SPDX-License-Identifier: MPL-2.0 */

/*
 * waiting.h - the clients that wait for another one with the same token.
 *
 * One table for all threads, with a lock.  A waiter belongs to the worker of
 * its connection: only that one frees it.  Any thread may take it out of the
 * table, and then sends its worker a message.
 */
#ifndef WAITING_H
#define WAITING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/source.h"
#include "wormhole-transit/line.h"

struct group;
struct holder;
struct waiter;

/* Where a connection is; it does not move while it waits. */
struct place {
	int worker;
	uint64_t conn;
};

enum waiting_bound {
	BOUND_TOKEN, /* of the same token */
	BOUND_SOURCE,
	BOUND_ALL,
	WAITING_BOUNDS
};
#define WAITING_PER_TOKEN_MOST 64

struct waiting_limits {
	int64_t per_token, per_source, all; /* 1 or more */
};

struct waiting {
	pthread_mutex_t lock;
	struct group *groups;   /* uthash, by token */
	struct holder *holders; /* uthash, by source */
	struct waiter *all;     /* utlist, longest first */
	int64_t count;
};

struct waiter {
	/* Constant while it is in the table. */
	struct place place;
	bool sided;
	char side[LINE_SIDE];
	/* Of the table.  group NULL: it is not in it. */
	struct group *group;
	struct waiter *next, *prev;
	struct waiter *group_next, *group_prev;
	unsigned levels;
	struct {
		struct holder *holder;
		struct waiter *next, *prev;
	} source[SOURCE_LEVELS];
	/* Of its worker. */
	struct waiter *here_next, *here_prev;
	int64_t until_ms;
};

/* Who has to go, since a bound was reached. */
struct waiting_losers {
	unsigned count;
	struct {
		struct place place;
		enum waiting_bound bound;
	} at[2 + SOURCE_LEVELS];
};

enum waiting_answer {
	WAITING_ADDED,
	WAITING_MATCHED,
	WAITING_NO_MEMORY,
};

/* 0 or -1. */
int waiting_init(struct waiting *table);
/* It must be empty. */
void waiting_finish(struct waiting *table);

/*
 * Takes a waiter with the same token, and another side or none, out of the
 * table and tells its place: the one that came last, since a client that
 * connects again has often lost its earlier connections.  If there is none,
 * adds `mine`, and takes the longest waiting one out for each bound that is
 * exceeded by that.  mine->place must be set.  A `source` without levels is
 * exempt from its bound.
 */
enum waiting_answer waiting_meet(struct waiting *table, struct waiter *mine,
	const struct line *line, const struct source *source,
	const struct waiting_limits *limits, struct place *other,
	struct waiting_losers *losers);
/* Takes it out, unless it is not in the table. */
void waiting_leave(struct waiting *table, struct waiter *waiter);
bool waiting_has(struct waiting *table, const struct waiter *waiter);
/* Takes out all that wait with this token.  Returns how many `out` has. */
unsigned waiting_rest(struct waiting *table, const char token[LINE_TOKEN],
	struct place out[WAITING_PER_TOKEN_MOST]);
int64_t waiting_count(struct waiting *table);

#endif

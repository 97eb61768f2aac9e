/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pending.h - sessions that two devices were invited to and have not begun.
 *
 * Each has two keys, one for either side; a key works once.  One table for all
 * threads; every function takes its lock for a few look-ups.  Time is passed
 * in, in milliseconds of the monotonic clock.
 */
#ifndef PENDING_H
#define PENDING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "directory.h"
#include "lines.h"
#include "shares.h"
#include "source.h"

enum { SIDE_CLIENT, SIDE_SERVER }; /* the one who asked, the one asked for */

struct pending;

/* What strangers can make us remember; 0: any number. */
struct pending_bounds {
	int64_t all;
	int64_t of_device; /* that one device asked for */
	int64_t of_source; /* that were asked for from one source */
	/* With the same device that is asked for: */
	int64_t of_asker; /* of one that asks, and of one source */
	int64_t in_line;
};

struct pending_table {
	pthread_mutex_t lock;
	struct pending_key *keys;     /* uthash, by key */
	struct pending *first, *last; /* in the order they were made */
	unsigned sessions;
	struct shares devices; /* by who asked */
	struct shares narrow;  /* by source: the levels below the widest */
	struct shares wide;    /* the widest, whose items are its sessions */
	struct lines lines;
	struct pending_bounds bounds;
};

/* What two keys make known once they meet. */
struct pending_pair {
	uint8_t id[2][ID_LEN]; /* by side */
	struct place half;     /* the connection that came first */
	int half_side;         /* its side */
	uint64_t turn;         /* of the one asked for, see lines.h */
};

enum pending_answer {
	PENDING_UNKNOWN, /* no such key, or used, or too late */
	PENDING_FIRST,   /* wait for the other side */
	PENDING_SECOND,  /* complete */
};

/* Why a session could not be remembered, or which one made room for it. */
enum pending_room {
	PENDING_ROOM,
	PENDING_NO_MEMORY,   /* or no randomness */
	PENDING_FULL,        /* refused, by bounds.all */
	PENDING_DEVICE_FULL, /* refused, by bounds.of_device */
	PENDING_SOURCE_FULL, /* refused, by bounds.of_source */
	PENDING_LINE_FULL,   /* refused, by bounds.in_line */
	PENDING_MADE_ROOM,   /* bounds.all: who has most gave up its oldest */
	PENDING_SOURCE_ROOM, /* bounds.of_source: it gave up its oldest */
	PENDING_LINE_ROOM,   /* bounds.of_asker or in_line: likewise */
};

static inline bool pending_added(enum pending_room room)
{
	return room == PENDING_ROOM || room >= PENDING_MADE_ROOM;
}

int pending_init(struct pending_table *table);
void pending_finish(struct pending_table *table);

/* New bounds, for what is added from now on. */
void pending_bound(
	struct pending_table *table, const struct pending_bounds *bounds);

/*
 * A session that `client` asked for from `source`.  key[] by side.  Where
 * others made room for it, lost[] are the halves that waited for these; conn 0:
 * none.  The invitation of `server` is sent when pending_deal() says so.
 */
enum pending_room pending_add(struct pending_table *table,
	const uint8_t *client, const uint8_t *server,
	const struct source *source, int64_t deadline_ms, int64_t now_ms,
	uint8_t key[2][ID_LEN], struct place lost[2]);

/*
 * Uses a key up.  With PENDING_FIRST, `place` is kept as the half that waits,
 * *deadline_ms is until when, and `other` gets the other side's key, which
 * names the session until then.  Unless it is unknown, *pair is filled.
 */
enum pending_answer pending_claim(struct pending_table *table,
	const uint8_t *key, struct place place, int64_t now_ms,
	uint8_t other[ID_LEN], int64_t *deadline_ms, struct pending_pair *pair);

/* The half that waits under `other` has gone: the session cannot begin.  True:
 * it would have been with `target`. */
bool pending_abandon(struct pending_table *table, const uint8_t *other,
	int64_t now_ms, uint8_t target[ID_LEN]);

/* The half that waits under `other` has sent something.  True: it waits for
 * `target`. */
bool pending_spoke(struct pending_table *table, const uint8_t *other,
	uint8_t target[ID_LEN]);

/* A session that had begun is over; it lasted so long. */
void pending_over(struct pending_table *table, const uint8_t *client,
	const uint8_t *server, uint64_t turn, int64_t lasted_ms,
	int64_t now_ms);

/*
 * What is due for a device that is asked for, see lines_deal().  To be called
 * after each of the above, until there is nothing more to do; after DEAL_WAIT
 * again by a timer, see pending_open().
 */
void pending_deal(struct pending_table *table, const uint8_t *target,
	bool present, bool all, int64_t now_ms, struct deal *deal);
/* After DEAL_END, if the session was one that came to nothing: deal->from. */
void pending_blame(struct pending_table *table, const uint8_t source[ID_LEN],
	int64_t now_ms);
/*
 * Its device has gone: one that waits to be sent is given up, since the device
 * would get it when it is back, and take it for a newer one.  *lost is the half
 * that waited, or conn 0.  False: none waits.
 */
bool pending_give_up(struct pending_table *table, const uint8_t target[ID_LEN],
	int64_t now_ms, struct place *lost);
/* How many devices wait for time; and the next of these, in turn. */
unsigned pending_open(struct pending_table *table);
bool pending_next_open(struct pending_table *table, uint8_t target[ID_LEN]);

/*
 * Forgets those whose time is over.  Returns how many; *next_ms is when the
 * next one's is, or INT64_MAX.
 */
unsigned pending_expire(
	struct pending_table *table, int64_t now_ms, int64_t *next_ms);

/* Sessions that have not begun: none of their sides came, or one. */
unsigned pending_sessions(struct pending_table *table);
/* Invitations that have not been sent yet. */
unsigned pending_waiting(struct pending_table *table);
/* Keys that still work. */
unsigned pending_keys(struct pending_table *table);

#endif

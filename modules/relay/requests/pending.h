/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pending.h - sessions whose devices were invited and that have not begun.
 *
 * Each has two keys, one per side; a key works once.  The table is shared by
 * all threads; every function holds its lock for a few lookups.  Time is passed
 * in, in milliseconds of the monotonic clock.
 */
#ifndef PENDING_H
#define PENDING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "relay/devices/directory.h"
#include "relay/requests/pending_limits.h"
#include "relay/requests/pending_session.h"
#include "relay/requests/queue_schedule.h"
#include "relay/requests/queues.h"
#include "shared/source.h"

struct pending_table {
	pthread_mutex_t lock;
	struct pending_key *keys; /* uthash, by key */
	struct pending *first;    /* utlist, in order of creation */
	struct pending_limits limits;
	unsigned elsewhere; /* of the sessions, those held by other relays */
	struct queues queues;
};

enum pending_answer {
	PENDING_UNKNOWN, /* the key is unknown, used or expired */
	PENDING_FIRST,   /* wait for the other side */
	PENDING_SECOND,  /* complete */
};

int pending_init(struct pending_table *table);
void pending_finish(struct pending_table *table);

/* Sets the limits for sessions added later. */
void pending_bound(
	struct pending_table *table, const struct pending_bounds *bounds);

/*
 * Adds a session that `client` requested from `source`. key[] by side.  If
 * others were dropped for it, lost[] are the halves that waited for these; conn
 * 0: none.  The invitation of `server` is sent when pending_schedule() says so.
 */
enum pending_room pending_add(struct pending_table *table,
	const uint8_t *client, const uint8_t *server,
	const struct source *source, int64_t deadline_ms, int64_t now_ms,
	uint8_t key[2][ID_LEN], struct place lost[2]);

/*
 * The same for two relays.  With `found` NULL, the session is held here and
 * others invite both sides: nothing is sent from here, also if `server` is
 * connected.  Else another relay holds it, and `server` is invited there: it
 * has no keys here, and counts until its deadline, since nobody here knows
 * whether the device has come there.
 */
enum pending_room pending_add_remote(struct pending_table *table,
	const uint8_t *client, const uint8_t *server,
	const struct source *source, int64_t deadline_ms, int64_t now_ms,
	const struct relay_found *found, uint8_t key[2][ID_LEN],
	struct place lost[2]);

/*
 * Uses a key.  With PENDING_FIRST, `place` is stored as the half that waits
 * until *deadline_ms, and `other` gets the other side's key, which identifies
 * the session until then. *pair is filled unless the key is unknown.
 */
enum pending_answer pending_claim(struct pending_table *table,
	const uint8_t *key, struct place place, int64_t now_ms,
	uint8_t other[ID_LEN], int64_t *deadline_ms, struct pending_pair *pair);

/*
 * The half that waits under `other` has ended, so the session cannot begin.
 * True: it was with `target`.
 */
bool pending_abandon(struct pending_table *table, const uint8_t *other,
	int64_t now_ms, uint8_t target[ID_LEN]);

/*
 * The requested device, whose key this is, cannot be invited.  Returns the half
 * that waits for it, or conn 0.
 */
struct place pending_lose(
	struct pending_table *table, const uint8_t key[ID_LEN], int64_t now_ms);

/*
 * Drops up to PENDING_WITHDRAW_MOST sessions of that device, whoever requested
 * them, and returns how many; lost[] are the halves that waited for these; conn
 * 0: none.
 */
#define PENDING_WITHDRAW_MOST 64
unsigned pending_withdraw(struct pending_table *table, const uint8_t *id,
	int64_t now_ms, struct place lost[PENDING_WITHDRAW_MOST]);

/*
 * The half that waits under `other` has sent data.  True: it waits for
 * `target`.
 */
bool pending_spoke(struct pending_table *table, const uint8_t *other,
	uint8_t target[ID_LEN]);

/* The end of a session. */
struct pending_end {
	const uint8_t *id[2]; /* by side */
	uint64_t serial;
	int64_t lasted_ms;
	bool answered; /* the requested device sent more than a handshake */
};

/* A session that had begun is over. */
void pending_over(struct pending_table *table, const struct pending_end *end,
	int64_t now_ms);
/* Notes that the device is not busy with that session: the session could not
 * begin, or goes well. */
void pending_absolve(struct pending_table *table, const uint8_t target[ID_LEN],
	uint64_t serial, int64_t now_ms);

/*
 * The next action for a requested device, see queues_schedule().  Call it after
 * each of the above until there is nothing more to do; after ACTION_WAIT again
 * by a timer, see pending_active().
 */
void pending_schedule(struct pending_table *table, const uint8_t *target,
	bool present, bool all, int64_t now_ms, struct action *action);
/*
 * The device has disconnected: drops one invitation that waits to be sent,
 * because after a reconnect the device would take it for a new one. *lost is
 * the half that waited, or conn 0.  False: none waits.
 */
bool pending_give_up(struct pending_table *table, const uint8_t target[ID_LEN],
	int64_t now_ms, struct place *lost);
/* How many queues a timer must check; and the device of the next one. */
unsigned pending_active(struct pending_table *table);
bool pending_next_active(struct pending_table *table, uint8_t target[ID_LEN]);

/*
 * Removes expired sessions, but no more than PENDING_EXPIRE_MOST at once, since
 * all threads use the table.  Returns how many of them were held here; *next_ms
 * is the next expiry, or INT64_MAX.
 */
#define PENDING_EXPIRE_MOST 512
unsigned pending_expire(
	struct pending_table *table, int64_t now_ms, int64_t *next_ms);

/* Sessions held here that have not begun, with no side or one side connected.
 */
unsigned pending_sessions(struct pending_table *table);
/* Invitations not sent yet. */
unsigned pending_waiting(struct pending_table *table);
/* Unused keys. */
unsigned pending_keys(struct pending_table *table);

#endif

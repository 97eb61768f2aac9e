/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A worker's records of its lingering connections: how much kernel memory each
 * holds, which counts towards session-memory and its source's share of it.  It
 * also decides which connections may linger.
 *
 * All of this is [W].
 */
#ifndef LINGER_RECORDS_H
#define LINGER_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peers;
struct relay_conn;

/*
 * A session may leave more bytes than a slow reader takes between two checks.
 * Such a connection lingers on while the reader takes this much, 1 KiB a
 * second.
 */
#define LINGER_PROGRESS 3072
/*
 * A peer with much to receive must be faster than LINGER_PROGRESS.  After the
 * first minute, what it has not received yet must shrink at a constant rate, so
 * that it has everything 20 minutes after the connection began to linger.
 */
#define LINGER_GRACE_MS 60000
#define LINGER_DRAIN_MS 1140000

struct linger_record {
	struct relay_conn *conn;     /* borrowed */
	struct linger_record *next;  /* on the worker's list */
	struct linger_record **link; /* what points to this one */
	int64_t since_ms;            /* when it began to linger */
	int first;                   /* most of socket_owes() since then */
	int owed;                    /* socket_owes() at the last check */
	uint32_t discarded;          /* bytes read from its peer */
	bool session;                /* a session has left it bytes */
	size_t held;                 /* kernel memory at the last check */
};

/*
 * Whether it may linger.  False: its source has too many, or all places are
 * taken and none may be evicted; this is counted.  If *instead is not NULL,
 * that one must be evicted first: one without bytes from a session if there is
 * one, then of the source with most places.  A session's last bytes are never
 * evicted for others.  While the server stops, any number may linger, since
 * that time is bounded.
 */
bool linger_has_place(const struct relay_conn *conn, bool session,
	struct relay_conn **instead);

/* Adds a connection, and counts what it holds.  0, or -1 without memory. */
int linger_record_add(struct relay_conn *conn, bool session);

/* Measures again what it holds.  False: memory is short, and it must end. */
bool linger_record_measure(struct relay_conn *conn);

/* How many of `first` bytes may still be undelivered after `ms`. */
static inline int64_t linger_may_owe(int64_t first, int64_t ms)
{
	int64_t left = LINGER_GRACE_MS + LINGER_DRAIN_MS - ms;

	if (left >= LINGER_DRAIN_MS)
		return first;
	return left > 0 ? first * left / LINGER_DRAIN_MS : 0;
}

/* Notes how many bytes it owes now.  Whether its reader takes enough of them.
 */
bool linger_record_takes(struct linger_record *one, int owed, int64_t now_ms);

/* Removes its record.  Accepts a connection that does not linger. */
void linger_record_remove(struct relay_conn *conn);

#endif

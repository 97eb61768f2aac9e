/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a worker keeps of its lingering connections: what the kernel still holds
 * for each of them, so that it counts towards session-memory and its source's
 * share of it.  Which of them may linger is decided here as well.
 *
 * All of this is [W].
 */
#ifndef LINGERING_H
#define LINGERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peers;
struct relay_conn;

/*
 * Who has much to take must take more than LINGER_PROGRESS: after a minute the
 * rest must shrink at an even rate, to nothing within 20 minutes in all.
 */
#define LINGER_GRACE_MS 60000
#define LINGER_DRAIN_MS 1140000

struct lingering {
	struct relay_conn *conn; /* borrowed */
	struct lingering *next;  /* on the worker's list */
	struct lingering **link; /* to this one */
	int64_t since_ms;        /* when it began */
	int first;               /* socket_owes() at that time */
	int owed;                /* socket_owes() at the last look */
	uint32_t discarded;      /* bytes of its peer */
	bool session;            /* a session has left it bytes */
	size_t held;             /* kernel memory at the last look */
};

/*
 * Whether it may linger.  False: its source has too many, or all places are
 * taken by connections that matter more; this is counted.  If *instead is not
 * NULL, that one must go first: who was in no session before all who were, then
 * of the source with most places.  A session's last bytes never give way to
 * others.  While the server stops, which it does within a bounded time, any
 * number may linger.
 */
bool lingering_has_place(const struct relay_conn *conn, bool session,
	struct relay_conn **instead);

/* Enters a connection, and counts what it holds.  0, or -1 without memory. */
int lingering_add(struct relay_conn *conn, bool session);

/* Measures again what it holds.  False: memory is short, and it has to go. */
bool lingering_weigh(struct relay_conn *conn);

/* How many of the bytes that it owed first it may still owe after so long. */
static inline int64_t lingering_may_owe(int64_t first, int64_t ms)
{
	int64_t left = LINGER_GRACE_MS + LINGER_DRAIN_MS - ms;

	if (left >= LINGER_DRAIN_MS)
		return first;
	return left > 0 ? first * left / LINGER_DRAIN_MS : 0;
}

/* Ends the account.  Accepts a connection that does not linger. */
void lingering_remove(struct relay_conn *conn);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a worker keeps of its lingering connections: what the kernel still holds
 * for each of them, so that it counts towards session-memory and its source's
 * share of it, and how many of them a source has.
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

/* How many connections of a worker may linger. */
#define LINGER_MOST 1024
/* One part in so many of these may belong to one IPv4 address or /64, if
 * sessions have left them bytes.  A /56 may have two parts, a /48 four. */
#define LINGER_SOURCE_PART 16

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
 * Enters a connection, and counts what it holds.  0, or -1 if its source has
 * too many, or without memory.  While the server stops, which it does within a
 * bounded time, any number may linger.
 */
int lingering_add(struct relay_conn *conn, bool session);

/* Of the source that holds most, the one that holds most.  NULL: none. */
struct relay_conn *lingering_largest(const struct peers *peers);

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

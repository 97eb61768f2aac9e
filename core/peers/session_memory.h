/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The kernel memory of sessions: how much of it each source holds, and which
 * sessions may begin while memory is short.  The bytes of a direction count for
 * the source of the side that reads them, since that side decides how long they
 * stay in the kernel.
 *
 * All of this is [W].
 */
#ifndef SESSION_MEMORY_H
#define SESSION_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

struct relay_conn;
struct relay_session;

/* Measures the kernel memory of each direction, and updates the sums: that of
 * all sessions, and that of the source which the direction counts for. */
void session_memory_weigh(struct relay_session *session);

/* Stops counting a session that ends; its two connections must still exist. */
void session_memory_forget(struct relay_session *session);

/* Counts `bytes` as held by a direction that has stalled for long; 0: none. */
void session_memory_stalls(
	struct relay_session *session, int from, size_t bytes);

/*
 * Whether these two may begin a session.  While memory is short, none begins
 * for a source that holds more than its share; and none at all while all
 * together hold twice what they may.  Counts and logs a refusal.
 */
bool session_memory_admits(
	const struct relay_conn *a, const struct relay_conn *b);

#endif

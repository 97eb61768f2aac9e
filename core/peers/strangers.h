/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Strangers: connections that have proven nothing yet, by where they come from.
 *
 * A stranger is a connection from accept until a module says that it has
 * settled.  Strangers are grouped by source: an IPv4 address is one; IPv6
 * addresses are grouped by /64, these by /56, and these by /48, so that a site
 * with 65,536 networks counts as one against all others, and a home as one
 * against the rest of its provider.  From that follow two decisions: whose
 * handshake has its turn, and who is closed when room is needed.
 *
 * One table of each worker, used by its own thread.  What is in it is bounded
 * by the bounds on connections.
 */
#ifndef STRANGERS_H
#define STRANGERS_H

#include <stdbool.h>
#include <stdint.h>

struct relay_conn;
struct strangers;

/* 0, or -1 without memory or randomness. */
int strangers_init(struct strangers *all, int64_t now_ms);
void strangers_finish(struct strangers *all);

/* A connection was accepted.  0, or -1 without memory. */
int strangers_enter(struct strangers *all, struct relay_conn *conn);
/*
 * It has settled, or has ended without: then `spoke` says whether it had said
 * anything, which counts against its source.  Does nothing for one that is no
 * stranger any more.
 */
void strangers_settle(
	struct strangers *all, struct relay_conn *conn, int64_t now_ms);
void strangers_leave(struct strangers *all, struct relay_conn *conn, bool spoke,
	int64_t now_ms);

/*
 * Who has said least of the source that has most strangers, and of several who
 * has been there for longest.  NULL: nobody is left but `newcomer`.
 */
struct relay_conn *strangers_least(
	const struct strangers *all, const struct relay_conn *newcomer);

#endif

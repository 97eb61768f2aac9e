/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Strangers: connections that have not settled yet, grouped by source.
 *
 * A stranger is a connection from accept until a module says that it has
 * settled.  Strangers are grouped by source: an IPv4 address is one; IPv6
 * addresses are grouped by /64, these by /56, and these by /48, so that a site
 * with 65,536 networks counts as one against all others, and a home as one
 * against the rest of its provider.  Two decisions depend on the source: which
 * handshake is next, and which connection is evicted when room is needed.
 *
 * Each worker has one table, which only its own thread uses.  The bounds on
 * connections bound the table as well.
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
 * A stranger has settled, or has ended before that.  `heard`: bytes from it had
 * arrived, so its end counts against its source.  Both do nothing for a
 * connection that is not a stranger.
 */
void strangers_settle(
	struct strangers *all, struct relay_conn *conn, int64_t now_ms);
void strangers_leave(struct strangers *all, struct relay_conn *conn, bool heard,
	int64_t now_ms);

/*
 * The stranger to evict: of the oldest ones of the source with most strangers,
 * the one that has made the least progress; of several, the oldest.  NULL:
 * there is none, or only `newcomer`.
 */
struct relay_conn *strangers_least(
	const struct strangers *all, const struct relay_conn *newcomer);

#endif

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
#include <sys/queue.h>

#include "peers/suspects.h"

struct relay_conn;
struct stranger;
struct stranger_source;

/* What a stranger's handshake waits for. */
enum stranger_line {
	STRANGER_FRESH, /* the first step, which makes its TLS side */
	STRANGER_BEGUN, /* another one */
	STRANGER_LINES,
	STRANGER_NO_LINE = STRANGER_LINES
};

TAILQ_HEAD(stranger_list, stranger);
TAILQ_HEAD(source_list, stranger_source);

/* From so many on, sources count as equal. */
#define STRANGERS_RANKS   1024
#define STRANGERS_BUCKETS 4096

/* A connection's part in it; NULL once it has settled. */
struct stranger {
	struct relay_conn *conn; /* whose it is */
	struct stranger_source *source;
	TAILQ_ENTRY(stranger) all, turn;
	uint8_t line; /* enum stranger_line */
};

struct strangers {
	struct stranger_source **buckets; /* owned; by prefix */
	struct source_list
		ranks[STRANGERS_RANKS + 1]; /* widest ones, by held */
	_Atomic unsigned most; /* the highest rank that is taken; others look */
	unsigned count, sources, waiting;
	/* Widest sources of which somebody waits: those with a good record, and
	 * suspects. */
	struct source_list turns[2];
	unsigned turn;
	struct suspects suspects;
	uint64_t seed;
};

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

/* Its handshake waits for its turn; a stranger waits in one line at most. */
void strangers_wait(struct strangers *all, struct relay_conn *conn,
	enum stranger_line line, int64_t now_ms);
bool strangers_waits(const struct relay_conn *conn);
/* Whose turn it is, who then waits no more.  NULL: nobody waits. */
struct relay_conn *strangers_next(struct strangers *all, int64_t now_ms);

#endif

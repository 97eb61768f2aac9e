/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What strangers.c and stranger_queue.c keep of strangers and their sources.
 */
#ifndef STRANGERS_STATE_H
#define STRANGERS_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "peers/suspects.h"

struct relay_conn;
struct stranger;
struct stranger_source;

/* The queue in which a stranger's handshake waits for its turn, by the step
 * that comes next. */
enum stranger_queue {
	STRANGER_FRESH, /* the first step, which makes conn->tls */
	STRANGER_BEGUN, /* a later step */
	STRANGER_QUEUES,
	STRANGER_NO_QUEUE = STRANGER_QUEUES
};

TAILQ_HEAD(stranger_list, stranger);
TAILQ_HEAD(source_list, stranger_source);

/* Sources with this many strangers or more have the same rank. */
#define STRANGERS_RANKS   1024
#define STRANGERS_BUCKETS 4096

/* The entry of a connection that has not settled; see conn->stranger. */
struct stranger {
	struct relay_conn *conn; /* borrowed */
	struct stranger_source *source;
	TAILQ_ENTRY(stranger) all, turn;
	uint8_t queue; /* enum stranger_queue */
};

/* An address prefix with at least one stranger. */
struct stranger_source {
	struct stranger_source *bucket_next;
	struct stranger_source *parent; /* the next wider one; NULL: widest */
	uint64_t prefix;                /* its first bits; the rest is 0 */
	uint64_t hash;
	unsigned bits;
	unsigned held;    /* strangers */
	unsigned waiting; /* of these, those in a queue */
	/* The widest: in the list of its rank; others: in parent->narrower. */
	TAILQ_ENTRY(stranger_source) same;
	/* While strangers of it wait.  The widest: in strangers.turns; others:
	 * in parent->narrower_turns. */
	TAILQ_ENTRY(stranger_source) turn;
	struct source_list narrower;       /* all narrower ones */
	struct source_list narrower_turns; /* those that wait; next first */
	struct stranger_list strangers; /* of a narrowest one, oldest first */
	struct stranger_list queues[STRANGER_QUEUES];
	bool suspect;  /* its index in strangers.turns, while any waits */
	uint8_t queue; /* the queue whose turn it is */
};

struct strangers {
	struct stranger_source **buckets; /* owned; by prefix */
	struct source_list
		ranks[STRANGERS_RANKS + 1]; /* widest ones, by held */
	_Atomic unsigned most; /* the highest rank in use; others read it */
	unsigned count, sources, waiting;
	/* Widest sources with strangers that wait.  0: no suspects, 1:
	 * suspects. */
	struct source_list turns[2];
	unsigned turn;
	struct suspects suspects;
	uint64_t seed;
};

#endif

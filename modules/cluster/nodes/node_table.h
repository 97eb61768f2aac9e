/* SPDX-License-Identifier: MPL-2.0 */

/*
 * node_table.h - the nodes of the cluster, by incarnation.  [C]
 *
 * A node counts as live while its lease lasts, measured by this node's
 * monotonic clock from when the lease came; clocks of nodes are not compared.
 *
 * What somebody has recorded of a dead node can be played again at any time,
 * also when the table has forgotten its counters.  So each node has to prove
 * that it lives: it is asked by HELLO, and answers with a LEASE that names the
 * counter of this HELLO, which no older message can do.  It has to prove it
 * again after its lease was over.  Until then it is in the table for its
 * counters alone, and nothing of it is used.
 *
 * Who can hold back messages of a live node, and let them through after its
 * death, extends its life by the length of a lease for each.
 */
#ifndef CLUSTER_NODE_TABLE_H
#define CLUSTER_NODE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/messages/message.h"
#include "cluster/messages/replay.h"

/* More are not kept; the operator is told. */
#define NODES_MOST 256
/* The bounds of a lease, whatever the node says. */
#define NODES_LEASE_LEAST_MS 1000
#define NODES_LEASE_MOST_MS  60000
/* For how long a node is remembered that is not live. */
#define NODES_KEEP_MS 60000
/* A node is asked for a proof no more often. */
#define NODES_HELLO_MS 1000
/* The two processes of an upgrade have one name, and the old one drains a
 * moment later. */
#define NODES_TWIN_MS 10000
/* With fewer sessions a node is not compared with others: to move a session
 * costs a round trip. */
#define NODES_SHARE_LEAST 16

struct node {
	uint64_t incarnation;
	struct node_facts facts; /* of its newest LEASE; all 0: none has come */
	uint8_t version;         /* of that, see seal.h */
	int64_t ends_ms;         /* of its lease */
	int64_t heard_ms;
	int64_t proven_ms; /* since when it is confirmed */
	bool confirmed;    /* until nodes_expire() calls gone() */
	bool left;         /* it has said GOODBYE */
	uint64_t newest;   /* the counter of its newest LEASE */
	/* The counters of the first and the last HELLO to it; 0: none yet. */
	uint64_t hello[2];
	int64_t hello_ms;
	struct replay replay;
};

struct node_table {
	struct node node[NODES_MOST]; /* `count` of them, in no order */
	unsigned count;
	uint64_t self; /* the own incarnation, never in the table */
};

enum node_news {
	NODE_KNOWN,     /* as before */
	NODE_CONFIRMED, /* it lives, and was not known to */
	NODE_CHANGED,   /* its name, address or state */
	NODE_LEFT,      /* it says GOODBYE: call nodes_expire() */
	NODE_NEW,       /* not confirmed: send HELLO, then call nodes_asked() */
	NODE_UNPROVEN,  /* not confirmed, and it was asked a moment ago; or it
			   has said GOODBYE */
	NODE_REPLAYED,  /* this message was seen before, or is too old */
	NODE_NO_ROOM,   /* there are NODES_MOST others */
	NODE_NEWS
};

/* 85 KiB: not for the stack. */
void nodes_init(struct node_table *table, uint64_t self);
/*
 * Call it for each message that seal_open() has accepted, before it is used.
 * It is to be used after NODE_KNOWN, NODE_CONFIRMED and NODE_CHANGED, and
 * dropped otherwise; but a HELLO is answered by a LEASE after NODE_NEW and
 * NODE_UNPROVEN, too: this does no harm, and it is how two nodes meet.
 */
enum node_news nodes_heard(
	struct node_table *table, const struct message *in, int64_t now_ms);
/* A HELLO with this counter is on its way to the node.  If it gets lost, the
 * next message of the node is NODE_NEW again after NODES_HELLO_MS.  0: it could
 * not be sealed; nothing happens. */
void nodes_asked(struct node_table *table, uint64_t incarnation,
	uint64_t counter, int64_t now_ms);

/* Whether its lease counts and it is confirmed.  Not for the own one. */
bool node_lives(const struct node *node, int64_t now_ms);
bool nodes_live(
	const struct node_table *table, uint64_t incarnation, int64_t now_ms);
/* Whether it has a lease that counts, though it may not have proven yet that it
 * lives: so it is for a moment when this node was cut off, or did not run. */
bool nodes_may_live(
	const struct node_table *table, uint64_t incarnation, int64_t now_ms);
/* NULL: not in the table.  Valid until the next message, and nodes_expire(). */
const struct node *nodes_find(
	const struct node_table *table, uint64_t incarnation);
/*
 * Calls `gone` once for each node that was NODE_CONFIRMED and whose lease has
 * just ended or that said GOODBYE; it must not change the table.  Forgets those
 * that have not lived for NODES_KEEP_MS.  Returns the ms until the next call, 1
 * or more.  What has come meanwhile should be heard before: it may be that this
 * process did not run for a while, and not the others.
 */
int64_t nodes_expire(struct node_table *table, int64_t now_ms,
	void (*gone)(void *arg, const struct node *node), void *arg);

/*
 * Another live node with the same name, for a warning; NULL: none.  Nodes that
 * drain do not count, nor a node that is here for less than NODES_TWIN_MS: so
 * an upgrade is none.  Ask each time that the own lease is sent.
 */
const struct node *nodes_twin(const struct node_table *table,
	const struct node_facts *self, int64_t now_ms);
/* Another live node that tells one of the same addresses, for a warning; NULL:
 * none.  One with the same name does not count: it is of an upgrade, or a twin.
 */
const struct node *nodes_same_place(const struct node_table *table,
	const struct node_facts *self, int64_t now_ms);
/*
 * Which of the others should hold a session: the less loaded of two that are
 * chosen by `random` among those that live, are open and have an address of
 * each family in `families` (bit 0: IPv4, bit 1: IPv6; 0: any).  The load is
 * the rate for each byte/s of capacity, or the number of sessions if one of the
 * capacities is not known.  Not the one with the
 * incarnation `but`.  NULL: none.
 */
const struct node *nodes_choose(const struct node_table *table,
	unsigned families, uint64_t but, uint64_t random, int64_t now_ms);
/* Whether this node carries more than `percent` of its capacity; or more than
 * twice the mean of the others that live and are open, if there are any and it
 * has NODES_SHARE_LEAST sessions.  Load is as in nodes_choose(). */
bool nodes_above_share(const struct node_table *table,
	const struct node_facts *self, unsigned percent, int64_t now_ms);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * node_table.h - the nodes of the cluster, by incarnation.  [C]
 *
 * A node counts as live while its lease lasts, measured by this node's
 * monotonic clock from when the lease came; clocks of nodes are not compared.
 * One that was heard of by a broadcast only may be an old message played again:
 * it is confirmed when a message of it has come that is addressed to this
 * incarnation.
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

struct node {
	uint64_t incarnation; /* 0: this place is free */
	struct node_facts facts;
	int64_t ends_ms; /* of its lease */
	int64_t heard_ms;
	bool confirmed;
	struct replay replay;
};

struct node_table {
	struct node node[NODES_MOST];
	unsigned count;
	uint64_t self; /* the own incarnation, never in the table */
};

enum node_news {
	NODE_KNOWN,     /* as before */
	NODE_NEW,       /* say HELLO to it */
	NODE_CONFIRMED, /* it lives, and was not known to */
	NODE_CHANGED,   /* its name, address or state */
	NODE_REPLAYED,  /* this message was seen before: drop it */
	NODE_NO_ROOM,   /* there are NODES_MOST others */
};

/*
 * Call it for each message that seal_open() has accepted, before it is used.
 * A message of an unknown incarnation other than LEASE gives NODE_NEW, and is
 * to be dropped if it is no HELLO.
 */
enum node_news nodes_heard(
	struct node_table *table, const struct message *in, int64_t now_ms);
/* Whether its lease counts and it is confirmed. */
bool nodes_live(
	const struct node_table *table, uint64_t incarnation, int64_t now_ms);
const struct node *nodes_find(
	const struct node_table *table, uint64_t incarnation);
/* Removes those whose lease has been over for `keep_ms`, and calls `gone` for
 * each whose lease has just ended or that said GOODBYE.  Returns when to be
 * called again. */
int64_t nodes_expire(struct node_table *table, int64_t now_ms,
	void (*gone)(void *arg, const struct node *node), void *arg);
/*
 * Which of the others should hold a session: the less loaded of two that are
 * chosen by `random` among those that live, are open and have an address of
 * each family in `families` (bit 0: IPv4, bit 1: IPv6).  NULL: none.
 */
const struct node *nodes_choose(const struct node_table *table,
	unsigned families, uint64_t random, int64_t now_ms);
/* Whether a node carries more than `percent` of its capacity, or more than
 * twice the mean of all that live. */
bool nodes_above_share(const struct node_table *table,
	const struct node_facts *self, unsigned percent, int64_t now_ms);

#endif

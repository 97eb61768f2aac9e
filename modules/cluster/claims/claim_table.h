/* SPDX-License-Identifier: MPL-2.0 */

/*
 * claim_table.h - a hash table of the devices of this node, which can be walked
 * through a part at a time.
 *
 * Buckets are in the order of the hash, so each device has its place in the
 * round, wherever the walk is when others come and go and when the table grows.
 * The hash is seeded: no two nodes have the same order.  (uthash would take 56
 * bytes per device, and has no such order.)
 */
#ifndef CLUSTER_CLAIM_TABLE_H
#define CLUSTER_CLAIM_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/registry.h"

enum claim_flags {
	CLAIM_SENT = 1,     /* the registry may have an entry of ours */
	CLAIM_WAITS = 2,    /* is in the queue */
	CLAIM_FLIES = 4,    /* a claim is under way */
	CLAIM_JOINING = 8,  /* and it is a CLAIM_JOIN */
	CLAIM_JOINS = 16,   /* the next one is to be a CLAIM_JOIN */
	CLAIM_DEFENDS = 32, /* and its result is told as ALIVE */
	CLAIM_PROBED = 64,  /* the connection is asked for a sign of life */
	/* Memory was short: */
	CLAIM_DOUBTED = 128, /* the connection is still to be asked */
	CLAIM_ENDS = 256,    /* it is still to be ended */
	CLAIM_UNSEEN = 512,  /* a recount has not seen it yet */
};

/* A device.  There are 100,000 of them: every byte counts. */
struct claim {
	struct claim *chain;       /* in its bucket */
	struct claim *prev, *next; /* utlist: the queue */
	uint64_t conn;             /* 0: it has left, but an answer or a release
				      is still awaited */
	uint64_t epoch;            /* the last one that is known; 0: none */
	uint64_t rival;            /* the epoch of the claim that a sign of life
				      is asked for because of */
	uint8_t id[REGISTRY_ID];
	int16_t worker;
	uint16_t known_in; /* the era in which the registry had it as ours */
	uint16_t flags;
};

struct claim_table {
	struct claim **bucket;
	unsigned bits; /* there are 2^bits buckets */
	size_t count;
};

/* 0, or -1: no memory. */
int claim_table_init(struct claim_table *table);
/* Frees all devices. */
void claim_table_finish(struct claim_table *table);
struct claim *claim_table_find(
	const struct claim_table *table, const uint8_t *id);
/* A new one that is not yet in the table; NULL: no memory. */
struct claim *claim_table_add(struct claim_table *table, const uint8_t *id);
void claim_table_remove(struct claim_table *table, struct claim *claim);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* nodes_state.h - what is known of the other nodes of a cluster.  [C] */
#ifndef NODES_STATE_H
#define NODES_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/log.h>

#define NODES_SECRET 32

struct nodes {
	uint8_t secret[NODES_SECRET]; /* what rows tell of tokens is nothing
					 without it */
	bool told;  /* the bans that this node knows from before */
	bool alone; /* it was logged that there is no cluster */
	/* What was visited of each table. */
	uint64_t bans_seen, revoked_seen;
	/* nodes_lists.c: */
	bool known;           /* the digest of the lists in force is made */
	uint8_t digest[32];   /* of these */
	int64_t told_ms;      /* when it was told */
	int64_t differ;       /* other nodes that have other lists */
	char first[32];       /* the name of one of them */
	unsigned for_so_long; /* looks in a row; see PATIENCE */
	bool said;            /* that was logged */
	struct relay_log_kind full;
};

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* Checks all queues that wait for a time, a few in each turn. */

#include "relay/requests/queue_scan.h"

int64_t round_turn(struct round *round, struct pending_table *table,
	round_deal_fn *deal, void *arg)
{
	uint8_t target[ID_LEN];
	unsigned compared = 0;

	if (!round->left)
		round->left = pending_open(table);
	while (round->left && compared < ROUND_COMPARED) {
		round->left--;
		/* The queues are a ring, so each has its turn. */
		if (!pending_next_open(table, target)) {
			round->left = 0;
			break;
		}
		compared += ROUND_QUEUE + deal(arg, target);
	}
	if (round->left)
		return ROUND_TURN_MS;
	return pending_open(table) ? ROUND_MS : 0;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Checks all active queues, a few in each step. */

#include "relay/requests/queue_scan.h"

int64_t scan_step(struct queue_scan *scan, struct pending_table *table,
	scan_action_fn *action, void *arg)
{
	uint8_t target[ID_LEN];
	unsigned compared = 0;

	if (!scan->left)
		scan->left = pending_active(table);
	while (scan->left && compared < SCAN_COMPARED) {
		scan->left--;
		/* The queues are a ring, so the scan reaches each. */
		if (!pending_next_active(table, target)) {
			scan->left = 0;
			break;
		}
		compared += SCAN_QUEUE + action(arg, target);
	}
	if (scan->left)
		return SCAN_STEP_MS;
	return pending_active(table) ? SCAN_MS : 0;
}

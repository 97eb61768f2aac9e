/* SPDX-License-Identifier: MPL-2.0 */

/*
 * listing.h - gathers rows of all devices and sessions from their workers.
 *
 * The control thread notes which there are, and asks their workers for a few at
 * a time.  All is [C].
 */
#ifndef LISTING_H
#define LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/commands/rows.h"

struct listing {
	struct relay_ctx *cx;
	struct relay_answer *to; /* woken when the rows are there */
	uint64_t serial;         /* 0: not begun */
	struct target *targets;  /* owned; by worker; sessions after devices */
	size_t target_count, device_targets;
	size_t asked, answered;       /* of the targets */
	struct device_row *devices;   /* owned */
	struct session_row *sessions; /* owned */
	size_t device_count, session_count;
};

/* 0; or -1 with err: there is no memory, or others are under way. */
int listing_begin(struct listing *listing, struct relay_ctx *cx,
	struct relay_answer *to, struct relay_err *err);
/* Whether all rows are there; devices are then sorted by ID, and have the sums
 * of their sessions. */
bool listing_complete(struct listing *listing);
/* Also before it is complete. */
void listing_free(struct listing *listing);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * fitness.h - whether another relay is fit for the list, after several checks.
 *
 * One lost packet must take no relay out of the list, and one lucky handshake
 * must not bring a broken one back.  Pure.
 */
#ifndef FITNESS_H
#define FITNESS_H

#include <stdbool.h>
#include <stdint.h>

enum fitness_state {
	FITNESS_UNCHECKED, /* counts as fit: a list that lacks relays after each
			    * restart is worse than one with a dead relay */
	FITNESS_ANSWERS,
	FITNESS_FAILS,
	FITNESS_STATES
};

struct fitness {
	enum fitness_state state;
	unsigned against; /* checks in a row that speak against the state */
};

/* How many checks in a row change the state. */
struct fitness_limits {
	int64_t remove_after, restore_after;
};

/* After a check.  Returns whether the state has changed. */
bool fitness_take(struct fitness *fitness, bool answers,
	const struct fitness_limits *limits);
/*
 * When the next check is due: after the interval, or after a sixth of it if the
 * last one spoke against the state.  It differs by up to a tenth, so that many
 * relays do not check another one at the same time; `random` decides.
 */
int64_t fitness_pause_ms(
	const struct fitness *fitness, int64_t interval_ms, uint32_t random);

#endif

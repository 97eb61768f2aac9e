/* SPDX-License-Identifier: MPL-2.0 */

/* Counts checks. */

#include "endpoint/fitness.h"

#define SOONER 6 /* times, to confirm what one check has found */

bool fitness_take(struct fitness *fitness, bool answers,
	const struct fitness_limits *limits)
{
	enum fitness_state seen = answers ? FITNESS_ANSWERS : FITNESS_FAILS;
	int64_t needed = answers ? limits->restore_after : limits->remove_after;

	if (seen == fitness->state) {
		fitness->against = 0;
		return false;
	}
	fitness->against++;
	/* It was counted as fit, so there is nothing to restore. */
	if (answers && fitness->state == FITNESS_UNCHECKED)
		needed = 1;
	if (fitness->against < needed)
		return false;
	*fitness = (struct fitness){.state = seen};
	return true;
}

int64_t fitness_pause_ms(
	const struct fitness *fitness, int64_t interval_ms, uint32_t random)
{
	int64_t pause = fitness->against ? interval_ms / SOONER : interval_ms;
	int64_t spread = pause / 5;

	return pause - spread / 2 + (spread * (int64_t)(random >> 8) >> 24);
}

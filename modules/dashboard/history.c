/* SPDX-License-Identifier: MPL-2.0 */

/* Throughput over the last hour. */

#include <string.h>

#include "history.h"

void history_init(struct history *history, int64_t now_ms, int64_t total)
{
	memset(history, 0, sizeof(*history));
	history->at_ms = now_ms;
	history->total = total;
}

void history_add(struct history *history, int64_t now_ms, int64_t total)
{
	int64_t ms = now_ms - history->at_ms, bytes = total - history->total;

	if (ms <= 0)
		return;
	/*
	 * In two steps, because a thousand times a large total would overflow.
	 */
	history->rate[history->count++ % HISTORY_STEPS] =
		bytes > 0 ? bytes / ms * 1000 + bytes % ms * 1000 / ms : 0;
	history->at_ms = now_ms;
	history->total = total;
}

int64_t history_first(const struct history *history, int64_t after)
{
	int64_t oldest = history->count - HISTORY_STEPS;

	if (oldest < 0)
		oldest = 0;
	/*
	 * A number that was never issued is from before a restart, or a guess.
	 */
	if (after < oldest || after >= history->count)
		return oldest;
	return after + 1;
}

int64_t history_rate(const struct history *history, int64_t step)
{
	return history->rate[step % HISTORY_STEPS];
}

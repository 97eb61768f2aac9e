/* SPDX-License-Identifier: MPL-2.0 */

/* Stops asking an endpoint that fails again and again. */

#include "breaker.h"

bool breaker_allows(struct breaker *breaker, int64_t now_ms, int64_t pause_ms)
{
	if (breaker->state == BREAKER_CLOSED)
		return true;
	if (now_ms < breaker->until_ms)
		return false;
	breaker->state = BREAKER_TRIAL;
	breaker->until_ms = now_ms + pause_ms;
	return true;
}

bool breaker_failed(struct breaker *breaker, int64_t now_ms, int64_t pause_ms,
	unsigned most)
{
	/* What was asked before it opened says nothing new. */
	if (breaker->state == BREAKER_OPEN)
		return false;
	if (breaker->state == BREAKER_CLOSED && ++breaker->failures < most)
		return false;
	*breaker = (struct breaker){
		.state = BREAKER_OPEN, .until_ms = now_ms + pause_ms};
	return true;
}

bool breaker_succeeded(struct breaker *breaker)
{
	bool was_closed = breaker->state == BREAKER_CLOSED;

	*breaker = (struct breaker){.state = BREAKER_CLOSED};
	return !was_closed;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Chooses the port to request, and the time of the next request. */

#include "schedule.h"

#define RETRY_MIN_MS 5000
#define RETRY_MAX_MS 300000
#define PORT_MIN     1024

uint16_t schedule_port(uint16_t listen, unsigned i, uint32_t random)
{
	if (i == 0)
		return listen;
	return (uint16_t)(PORT_MIN + random % (65536 - PORT_MIN));
}

int64_t schedule_renewal(const struct schedule *schedule)
{
	int64_t middle = schedule->lease_ms / 2;

	/* Without a lease it never expires, but a reset gateway loses it. */
	if (schedule->lease_ms == 0 || schedule->renewal_ms < middle)
		return schedule->renewal_ms;
	return middle;
}

int64_t schedule_check(const struct schedule *schedule, int64_t since_ms)
{
	int64_t left = schedule_renewal(schedule) - since_ms;

	if (left > schedule->check_ms)
		left = schedule->check_ms;
	return left > 0 ? left : 0;
}

int64_t schedule_retry(unsigned failures, uint32_t random)
{
	int64_t ms = RETRY_MIN_MS;

	for (unsigned i = 1; i < failures && ms < RETRY_MAX_MS; i++)
		ms *= 2;
	if (ms > RETRY_MAX_MS)
		ms = RETRY_MAX_MS;
	/*
	 * 80 to 100 % of the delay, so that hosts started together spread out.
	 */
	return ms - (int64_t)((double)(ms / 5) * random / UINT32_MAX);
}

bool schedule_over(const struct schedule *schedule, int64_t since_ms)
{
	return schedule->lease_ms > 0 && since_ms >= schedule->lease_ms;
}

int64_t schedule_lease(int64_t asked_ms, int64_t given_ms)
{
	if (given_ms == 0 || (asked_ms > 0 && asked_ms < given_ms))
		return asked_ms;
	return given_ms;
}

bool schedule_may_change(struct schedule_changes *changes, int64_t now_ms)
{
	int64_t from = changes->clear_ms > now_ms ? changes->clear_ms : now_ms;

	if (from - now_ms > (SCHEDULE_CHANGES - 1) * SCHEDULE_CHANGE_MS)
		return false;
	changes->clear_ms = from + SCHEDULE_CHANGE_MS;
	return true;
}

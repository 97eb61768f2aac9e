/* SPDX-License-Identifier: MPL-2.0 */

/* The wall clock, and when the process was started. */

#include <stdatomic.h>
#include <time.h>

#include <strelaysrv/server.h>
#include <strelaysrv/thread.h>

/* If the clock has moved by this much, it was set. */
#define CLOCK_SET_US 60000000

/* Global: a process starts once, even if it has several servers. */
static _Atomic int64_t start_us;
static int64_t start_boot_us, start_mono_ms;

static int64_t read_us(clockid_t clock)
{
	struct timespec ts;

	/* Fails only for clocks that do not exist. */
	(void)clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Runs before main(), so that the values are set before any caller reads them.
 */
__attribute__((constructor)) static void note_start(void)
{
	start_us = read_us(CLOCK_REALTIME);
	start_boot_us = read_us(CLOCK_BOOTTIME);
	start_mono_ms = read_us(CLOCK_MONOTONIC) / 1000;
}

/*
 * Boards without a battery start in 1970, and their clock is set later: then
 * the time of the start moves as well.  It does not follow small corrections,
 * since a change looks like a restart.
 */
int64_t relay_start_us(void)
{
	int64_t known = start_us, since = read_us(CLOCK_REALTIME) -
					  read_us(CLOCK_BOOTTIME) +
					  start_boot_us;

	if (since - known > CLOCK_SET_US || known - since > CLOCK_SET_US)
		start_us = known = since;
	return known;
}

int64_t relay_uptime_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000 - start_mono_ms;
}

int64_t relay_wall_us(void)
{
	return read_us(CLOCK_REALTIME);
}

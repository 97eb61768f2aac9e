/* SPDX-License-Identifier: MPL-2.0 */

/* How much a direction of a session may make the kernel hold. */

#include "net/stall_judge.h"

/*
 * Next to nothing, while bytes wait, is less than 1 kB a second, or so little
 * that what is held above STALL_ALLOWED would take longer than 20 minutes.
 */
#define BYTES_PER_MS 1
#define DRAIN_MS     1200000
/* For so long: no more is taken in for it. */
#define SQUEEZE_MS 4000
/*
 * Less than 100 bytes a second for as long as a session may idle is no progress
 * at all: a byte now and then keeps no session.  The slowest honest reader, a
 * device over a bad mobile link, takes several times as much.
 */
#define LEAST_MS_PER_BYTE 10

/*
 * The kernel's own sizing gives each of two sockets twice of what is on its
 * way, and half of a buffer is bookkeeping.
 */
#define PATHS 8
/* Below, timers and busy CPUs rule; above, a peer that delays on purpose. */
#define RTT_MIN_US 1000
#define RTT_MAX_US 600000

/* A burst has begun just before a look; not before several. */
#define LOOKS 3
/* For a stall.  For one that moves both together are 3/4 of its allowance. */
#define STALLED_BUFFER 131072
/*
 * The kernel's usual rmem_max and wmem_max allow no more, so a path that needs
 * more would be slowed down.
 */
#define LARGEST_BUFFER 425984

/*
 * While memory is short: by then every session is looked at each second.  What
 * holds more than 8 times its allowance ends then, 4 times a second later, and
 * so on, so that those go first that hold most beyond it.
 */
#define GRACE_MS   5000
#define FIRST_STEP 3
#define LAST_STEP  5

size_t stall_allowed(uint64_t bytes_per_s, int64_t rtt_us)
{
	uint64_t path;

	if (rtt_us < RTT_MIN_US)
		rtt_us = RTT_MIN_US;
	if (rtt_us > RTT_MAX_US)
		rtt_us = RTT_MAX_US;
	path = bytes_per_s * (uint64_t)rtt_us / 1000000 * PATHS;
	return path > STALL_ALLOWED ? (size_t)path : STALL_ALLOWED;
}

/* Above what a session ends that has been short of memory for so long. */
static size_t most(size_t allowed, int64_t short_ms)
{
	int64_t steps = (short_ms - GRACE_MS) / 1000 - FIRST_STEP;

	if (short_ms < GRACE_MS)
		return SIZE_MAX;
	if (steps < 0)
		return allowed << -steps;
	return allowed >> (steps < LAST_STEP ? steps : LAST_STEP);
}

static uint64_t next_to_nothing(int64_t ms, size_t held)
{
	uint64_t least = (uint64_t)ms * BYTES_PER_MS, drains = 0;

	if (held > STALL_ALLOWED)
		drains = (uint64_t)ms * (held - STALL_ALLOWED) / DRAIN_MS;
	return least > drains ? least : drains;
}

/*
 * The mean since a stall began, so that a burst now and then does not end it:
 * windows open in steps, on purpose or not.
 */
static void note_stall(
	struct stall *stall, const struct stall_facts *facts, bool known)
{
	/* All that waited at the last look was taken: what waits now is new. */
	if (!known || !facts->waits || facts->acked >= stall->due) {
		stall->since_ms = 0;
		return;
	}
	if (stall->since_ms == 0) {
		stall->since_ms = stall->looked_ms;
		stall->since_acked = stall->acked;
	}
	if (facts->acked - stall->since_acked >=
		next_to_nothing(facts->now_ms - stall->since_ms, facts->held))
		stall->since_ms = 0;
}

/* Judges the stall anew in each span of idle_ms. */
static bool makes_no_progress(
	struct stall *stall, const struct stall_facts *facts)
{
	int64_t still = facts->now_ms - stall->since_ms;
	uint64_t least = (uint64_t)still / LEAST_MS_PER_BYTE;

	if (!stall->since_ms || still < facts->idle_ms)
		return false;
	if (facts->acked - stall->since_acked < least)
		return true;
	stall->since_ms = facts->now_ms;
	stall->since_acked = facts->acked;
	return false;
}

static size_t buffers_for(const struct stall *stall,
	const struct stall_facts *facts, size_t allowed)
{
	bool several = stall->above >= LOOKS || facts->short_ms >= 0;
	size_t each = allowed / 8 * 3;

	if (stall->since_ms && facts->now_ms - stall->since_ms >= SQUEEZE_MS)
		return STALLED_BUFFER;
	if (stall->above && several && each <= LARGEST_BUFFER)
		return each;
	/* It may fill them again once it has drained, and delivers. */
	if (stall->since_ms || facts->held > allowed / 2)
		return stall->buffers;
	return 0;
}

enum stall_verdict stall_judge(
	struct stall *stall, const struct stall_facts *facts)
{
	int64_t took = facts->now_ms - stall->looked_ms;
	/* The first look has nothing to compare with. */
	bool known = stall->acked && facts->acked && took > 0;
	size_t allowed = STALL_ALLOWED;

	note_stall(stall, facts, known);
	if (known)
		allowed = stall_allowed(
			(facts->acked - stall->acked) * 1000 / (uint64_t)took,
			facts->rtt_us);
	if (!known || facts->held <= allowed)
		stall->above = 0;
	else if (stall->above < LOOKS)
		stall->above++;
	stall->acked = facts->acked;
	stall->due = facts->acked + facts->waits;
	stall->looked_ms = facts->now_ms;
	stall->buffers = buffers_for(stall, facts, allowed);
	if (facts->short_ms >= 0 && known && facts->held >= STALL_LEAST &&
		(stall->since_ms ||
			facts->held > most(allowed, facts->short_ms)))
		return STALL_END_PRESSURE;
	if (makes_no_progress(stall, facts))
		return STALL_END_STALLED;
	return STALL_GO_ON;
}

bool stall_is_watched(const struct stall *stall)
{
	return stall->since_ms || stall->above || stall->buffers;
}

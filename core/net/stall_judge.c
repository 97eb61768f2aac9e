/* SPDX-License-Identifier: MPL-2.0 */

/* How much kernel memory a direction of a session may hold. */

#include "net/stall_judge.h"

/*
 * A direction stalls if bytes wait and it delivers less than 1 kB a second, or
 * so little that what it holds above STALL_ALLOWED would take longer than 20
 * minutes.
 */
#define BYTES_PER_MS 1
#define DRAIN_MS     1200000
/* After a stall of this length, its buffers are bounded. */
#define SQUEEZE_MS 4000
/*
 * Less than 100 bytes a second, for as long as a session may be idle, counts as
 * no progress: a peer that takes a byte now and then cannot keep a session.
 * The slowest honest reader, a device on a bad mobile link, takes several times
 * as much.
 */
#define LEAST_MS_PER_BYTE 10

/*
 * What a direction may hold, in multiples of the bytes in flight.  Two sockets
 * have a buffer each; the kernel makes each large enough for twice the bytes in
 * flight; and bookkeeping takes as much memory as the bytes: 2 * 2 * 2.
 */
#define PATHS 8
/* The range of round trips that is used: shorter ones depend on timers and busy
 * CPUs, longer ones may be a peer that delays on purpose. */
#define RTT_MIN_US 1000
#define RTT_MAX_US 600000

/* A burst may exceed the allowance at one look, but not at this many in a row.
 */
#define LOOKS 3
/* The bound on each buffer in a stall.  Without a stall, both together may have
 * 3/4 of the allowance. */
#define STALLED_BUFFER 131072
/*
 * The bound while a direction has to shrink.  Two buffers, the pipe between
 * them, and what each exceeds its bound by may be more than STALL_ALLOWED at
 * larger bounds: a steady reader would never get below that.
 */
#define SHRINKING_BUFFER 65536
/*
 * No larger bound is set: the kernel's usual rmem_max and wmem_max would reduce
 * it to this, and so slow down a path that needs more.
 */
#define LARGEST_BUFFER 425984

/*
 * When memory is short, directions that stall and whose source holds more than
 * its share end at once.  After GRACE_MS every session is checked each second:
 * of those that stall, the largest end, as many as needed; of the others, those
 * end that hold more than 8 times their allowance, a second later those that
 * hold more than 4 times, and so on, so that the largest excess ends first.
 */
#define GRACE_MS   5000
#define FIRST_STEP 3
#define LAST_STEP  5
/* The largest allowance; most() shifts it by up to FIRST_STEP. */
#define ALLOWED_MOST (SIZE_MAX >> FIRST_STEP)

/* In how much time the reader took what waited at the last look, if it took all
 * of that. */
struct taken {
	int64_t ms; /* 0: it did not */
	uint64_t bytes;
};

size_t stall_allowed(uint64_t bytes_per_s, int64_t rtt_us)
{
	uint64_t path;

	if (rtt_us < RTT_MIN_US)
		rtt_us = RTT_MIN_US;
	if (rtt_us > RTT_MAX_US)
		rtt_us = RTT_MAX_US;
	path = bytes_per_s * (uint64_t)rtt_us / 1000000 * PATHS;
	if (path > ALLOWED_MOST)
		return ALLOWED_MOST;
	return path > STALL_ALLOWED ? (size_t)path : STALL_ALLOWED;
}

/* The most bytes that a direction may hold, when memory has been short for
 * short_ms. */
static size_t most(size_t allowed, int64_t short_ms)
{
	int64_t steps = (short_ms - GRACE_MS) / 1000 - FIRST_STEP;

	if (short_ms < GRACE_MS)
		return SIZE_MAX;
	if (steps < 0)
		return allowed << -steps;
	return allowed >> (steps < LAST_STEP ? steps : LAST_STEP);
}

static uint64_t least_progress(int64_t ms, size_t held)
{
	uint64_t least = (uint64_t)ms * BYTES_PER_MS, drains = 0;

	if (held > STALL_ALLOWED)
		drains = (uint64_t)ms * (held - STALL_ALLOWED) / DRAIN_MS;
	return least > drains ? least : drains;
}

/*
 * Uses the mean rate since the stall began, so that a burst now and then does
 * not end the stall: a peer's window may open in steps, on purpose or not.
 */
static void note_stall(
	struct stall *stall, const struct stall_facts *facts, bool known)
{
	/* All that waited at the last look has been taken; the rest is new. */
	if (!known || !facts->waits || facts->acked >= stall->due) {
		stall->since_ms = 0;
		return;
	}
	if (stall->since_ms == 0) {
		stall->since_ms = stall->looked_ms;
		stall->since_acked = stall->acked;
	}
	if (facts->acked - stall->since_acked >=
		least_progress(facts->now_ms - stall->since_ms, facts->held))
		stall->since_ms = 0;
}

/* Measures progress in spans of idle_ms: if there was some, a new one begins.
 */
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

/* For how long it has had to shrink; 0 or less: it need not yet. */
static int64_t late_ms(
	const struct stall *stall, const struct stall_facts *facts)
{
	int64_t since = facts->now_ms - stall->full_ms;
	bool too_slow = facts->acked - stall->full_acked <
			(uint64_t)since * BYTES_PER_MS;

	if (!stall->full_ms)
		return 0;
	return since - (too_slow ? 1 : STALL_GRACE) * facts->idle_ms;
}

/* Whether what it held when its buffers were bounded has shrunk too slowly. */
static bool drains_too_slowly(struct stall *stall,
	const struct stall_facts *facts, size_t allowed, struct taken taken)
{
	int64_t late, time = STALL_DRAIN * facts->idle_ms;
	uint64_t excess;

	/* If nothing waits for the reader, a rate limit is the reason. */
	if (!stall->buffers || facts->held <= allowed || !facts->waits) {
		stall->full_ms = 0;
		return false;
	}
	/*
	 * If the reader takes all that arrives, the bytes are in transit: that
	 * time does not count.  It does not end the draining, or a burst now
	 * and then would restart the whole time.
	 */
	if (taken.ms) {
		if (stall->full_ms) {
			stall->full_ms += taken.ms;
			stall->full_acked += taken.bytes;
		}
		return false;
	}
	if (!stall->full_ms) {
		stall->full_ms = facts->now_ms;
		stall->full_acked = facts->acked;
		stall->full = facts->held;
	}
	late = late_ms(stall, facts);
	if (late <= 0)
		return false;
	excess = late < time ? (stall->full - STALL_ALLOWED) *
				       (uint64_t)(time - late) / (uint64_t)time
			     : 0;
	return facts->held > STALL_ALLOWED + excess;
}

bool stall_gives_way(const struct stall_facts *facts)
{
	if (facts->short_ms < 0 || facts->held < STALL_LEAST)
		return false;
	return facts->above_share ||
	       (facts->short_ms >= GRACE_MS &&
		       facts->held >= facts->stalled_most);
}

/* Whether it must end since memory is short. */
static bool gives_way(const struct stall *stall,
	const struct stall_facts *facts, size_t allowed)
{
	if (facts->short_ms < 0 || facts->held < STALL_LEAST)
		return false;
	if (stall_is_long(stall) && stall_gives_way(facts))
		return true;
	return facts->held > most(allowed, facts->short_ms);
}

static size_t buffers_for(const struct stall *stall,
	const struct stall_facts *facts, size_t allowed, struct taken taken)
{
	bool several = stall->above >= LOOKS || facts->short_ms >= 0;
	size_t each = allowed / 8 * 3;

	if (facts->held > allowed && late_ms(stall, facts) > 0 && !taken.ms)
		return SHRINKING_BUFFER;
	if (stall_is_long(stall))
		return STALLED_BUFFER;
	if (stall->above && several && each <= LARGEST_BUFFER)
		return each;
	/* The limit ends after the direction has delivered and drained. */
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
	struct taken taken = {0};

	if (known && facts->acked >= stall->due)
		taken = (struct taken){took, facts->acked - stall->acked};
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
	stall->buffers = buffers_for(stall, facts, allowed, taken);
	if (known && gives_way(stall, facts, allowed))
		return STALL_END_PRESSURE;
	if (makes_no_progress(stall, facts) ||
		drains_too_slowly(stall, facts, allowed, taken))
		return STALL_END_STALLED;
	return STALL_GO_ON;
}

bool stall_is_long(const struct stall *stall)
{
	return stall->since_ms &&
	       stall->looked_ms - stall->since_ms >= SQUEEZE_MS;
}

bool stall_is_watched(const struct stall *stall)
{
	return stall->since_ms || stall->above || stall->buffers;
}

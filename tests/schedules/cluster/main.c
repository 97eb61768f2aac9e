/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Plays schedules of a cluster: cluster [-count=N] [-seed=S].  A failure is
 * told with a trace and the seed of its schedule.
 */

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster.h"
#include "replay.h"
#include "told_seed.h"

/* A schedule takes some milliseconds. */
#define SECONDS_MOST 60

static uint64_t seed = 1, count = 10000;
static jmp_buf again;

/* Schedules that have failed once, beside those of the suite. */
static const uint64_t failed[] = {1000090, 1003359, 1050731, 2025961, 3045155,
	4004249, 5047783, 39970, 81439};

void replay_traced(void)
{
	longjmp(again, 1);
}

static void play_one(void)
{
	(void)alarm(SECONDS_MOST);
	play(seed, setjmp(again) != 0);
}

int main(int argc, char **argv)
{
	uint64_t last;

	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "-count=", 7) == 0)
			count = strtoull(argv[i] + 7, NULL, 10);
		else if (strncmp(argv[i], "-seed=", 6) == 0)
			seed = strtoull(argv[i] + 6, NULL, 10);
	told_seed(&seed);
	for (last = seed + count; seed < last; seed++)
		play_one();
	for (unsigned i = 0; i < sizeof(failed) / sizeof(failed[0]); i++) {
		seed = failed[i];
		play_one();
	}
	(void)printf("cluster: %" PRIu64 " schedules, %" PRIu64
		     " events, %" PRIu64 " joins, %" PRIu64 " asks (%" PRIu64
		     " sure), %" PRIu64 " met, %" PRIu64 " disturbances, "
		     "%" PRIu64 " claims, %" PRIu64 " healed, %" PRIu64
		     " replaced, %" PRIu64 " defended\n",
		count, totals.events, totals.joins, totals.asks, totals.sure,
		totals.met, totals.disturbances, totals.claims, totals.healed,
		totals.replaced, totals.defended);
	return 0;
}

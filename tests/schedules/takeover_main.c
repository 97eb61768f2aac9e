/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Plays schedules of upgrades: takeover [-count=N] [-seed=S].  A failure is
 * told with the seed of its schedule.
 */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "takeover.h"
#include "told_seed.h"

/* A schedule takes less than a millisecond. */
#define SECONDS_MOST 60

static uint64_t seed = 1, count = 20000;

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "-count=", 7) == 0)
			count = strtoull(argv[i] + 7, NULL, 10);
		else if (strncmp(argv[i], "-seed=", 6) == 0)
			seed = strtoull(argv[i] + 6, NULL, 10);
	(void)signal(SIGPIPE, SIG_IGN);
	told_seed(&seed);
	for (uint64_t last = seed + count; seed < last; seed++) {
		(void)alarm(SECONDS_MOST);
		takeover_play(seed);
	}
	(void)printf("takeover: %" PRIu64 " schedules, %" PRIu64
		     " steps, %" PRIu64 " new processes served\n",
		count, takeover_steps, takeover_served);
	return 0;
}

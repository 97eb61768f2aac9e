/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Plays schedules of a server with several workers.
 *
 *   schedules [-count=N] [-seed=S] [-modules=FOLDER,FOLDER]
 *
 * N schedules with the seeds S, S + 1, and so on.  A failure is told on stderr
 * with the seed of its schedule: -count=1 -seed=S plays that one alone.
 */

#include <execinfo.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "relay.h"
#include "moves.h"
#include "scene.h"
#include "scheduler.h"
#include "sim.h"
#include "told_seed.h"

/* The start, and each schedule, end within so many seconds of real time; they
 * usually take milliseconds. */
#define SECONDS_MOST 60
#define CALLS_MOST   64

static uint64_t seed = 1, count = 1000;

/* Whatever does not end: where it is. */
static void tell_where(int number)
{
	static const char text[] = "connection: it does not end\n";
	void *calls[CALLS_MOST];

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	backtrace_symbols_fd(
		calls, backtrace(calls, CALLS_MOST), STDERR_FILENO);
	(void)number;
	(void)raise(SIGABRT);
}

static void read_arguments(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "-count=", 7) == 0) {
			count = strtoull(argv[i] + 7, NULL, 10);
		} else if (strncmp(argv[i], "-seed=", 6) == 0) {
			seed = strtoull(argv[i] + 6, NULL, 10);
		} else if (strncmp(argv[i], "-modules=", 9) == 0) {
			relay_modules = argv[i] + 9;
		} else {
			(void)fprintf(stderr, "schedules: %s?\n", argv[i]);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	read_arguments(argc, argv);
	(void)signal(SIGALRM, tell_where);
	(void)alarm(SECONDS_MOST);
	sim_trace = getenv("FUZZ_TRACE") != NULL;
	sim_enter();
	relay_begin();
	clients_begin();
	relay_choose(0);
	scheduler_begin();
	told_seed(&seed);
	(void)signal(SIGALRM, tell_where);
	for (uint64_t last = seed + count; seed < last; seed++) {
		(void)alarm(SECONDS_MOST);
		scene_play(seed);
	}
	clients_end();
	relay_end();
	sim_leave();
	(void)printf("schedules: %" PRIu64 " schedules, %" PRIu64
		     " turns, %" PRIu64 " interruptions, %" PRIu64
		     " sides of sessions, %" PRIu64 " moves\n",
		count, scheduler_turns, scheduler_interruptions, scene_sessions,
		moves_asked);
	return 0;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Finds out which thread of the server serves a session. */

#include <stdlib.h>

#include "heavy.h"
#include "threads.h"

#define ROUND_TRIPS 100

struct choice {
	struct pair pair;
	int64_t thread;
	bool chosen;
};

/* -1: the pair has failed. */
static int64_t thread_of(struct bench *bench, const struct pair *pair)
{
	static struct threads before, after; /* too large for the stack */
	const int64_t pid = bench->settings->server_pid;

	threads_read(&before, pid);
	for (int i = 0; i < ROUND_TRIPS; i++) {
		if (!pairs_pass(bench, pair->client, pair->server) ||
			!pairs_pass(bench, pair->server, pair->client)) {
			tally_add(&bench->tally, FAILURE_TIMEOUT);
			return -1;
		}
	}
	threads_read(&after, pid);
	threads_since(&after, &before);
	return after.count ? after.times[0].id : 0;
}

static size_t count_of(
	const struct choice *choices, size_t count, int64_t thread, bool chosen)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += choices[i].thread == thread &&
			 (!chosen || choices[i].chosen);
	return found;
}

/* The next one: of the thread with most sessions, or that of which least are
 * chosen. */
static struct choice *next_of(struct choice *choices, size_t count, bool spread)
{
	struct choice *best = NULL;
	size_t best_has = 0;

	for (size_t i = 0; i < count; i++) {
		size_t has =
			count_of(choices, count, choices[i].thread, spread);

		if (choices[i].chosen)
			continue;
		/* Of two threads with as many, always the same. */
		if (!spread)
			has = 2 * has + (count_of(choices, count,
						 choices[i].thread, true) > 0);
		if (!best || (spread ? has < best_has : has > best_has)) {
			best = &choices[i];
			best_has = has;
		}
	}
	return best;
}

static size_t threads_of(const struct choice *choices, size_t count)
{
	size_t threads = 0;

	for (size_t i = 0; i < count; i++)
		threads += choices[i].chosen &&
			   count_of(choices, i, choices[i].thread, true) == 0;
	return threads;
}

static void put_first(struct pairs *pairs, const struct choice *choices)
{
	size_t at = 0;

	for (int chosen = 1; chosen >= 0; chosen--) {
		for (size_t i = 0; i < pairs->count; i++) {
			if (choices[i].chosen == (bool)chosen)
				pairs->list[at++] = choices[i].pair;
		}
	}
}

size_t heavy_choose(
	struct bench *bench, struct pairs *pairs, size_t heavy, bool spread)
{
	struct choice *choices = calloc(pairs->count, sizeof(*choices)), *next;
	size_t threads;

	if (!choices)
		return 0;
	for (size_t i = 0; i < pairs->count; i++) {
		choices[i].pair = pairs->list[i];
		choices[i].thread = thread_of(bench, &pairs->list[i]);
		if (choices[i].thread < 0) {
			free(choices);
			return 0;
		}
	}
	for (size_t i = 0; i < heavy; i++) {
		next = next_of(choices, pairs->count, spread);
		if (next)
			next->chosen = true;
	}
	threads = threads_of(choices, pairs->count);
	put_first(pairs, choices);
	free(choices);
	return !spread && threads != 1 ? 0 : threads;
}

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * candidates.h - the relays of a pool, and the order in which to try them.
 *
 * Pure: any thread; randomness is passed in.
 */
#ifndef CANDIDATES_H
#define CANDIDATES_H

#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

#include "nearness.h"

#define CANDIDATES_MAX      2000
#define CANDIDATES_BODY_MAX ((size_t)8 * 1024 * 1024)
#define CANDIDATES_STEP_US  50000

struct candidate {
	char *uri;          /* owned; a valid relay:// URI with a host */
	int64_t latency_us; /* INT64_MAX: not measured or not reachable */
};

struct candidates {
	struct candidate *all; /* owned */
	size_t count;
	enum nearness nearest; /* of the pool: it may name none nearer */
};

/*
 * Reads {"relays":[{"url":"relay://..."}, ...]}.  Invalid entries are skipped,
 * and so are all entries after the first CANDIDATES_MAX.  Returns 0, or -1 with
 * err and out empty: not JSON, no such list, or no valid entry.
 */
int candidates_parse(const char *json, size_t len, struct candidates *out,
	struct relay_err *err);
void candidates_finish(struct candidates *candidates);

/*
 * Sorts by latency in steps of 50 ms and shuffles within a step, so that not
 * all clients choose the one relay that is slightly nearer. fill writes random
 * bytes into a buffer.
 */
void candidates_order(struct candidates *candidates,
	void (*fill)(void *buf, size_t len, void *arg), void *arg);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * bulk.h - sends as many bytes as a set of pairs can carry.
 *
 * Uses two threads, one for the clients' ends and one for the servers', like
 * two machines.  Each turn of a socket moves one write, so the load itself is
 * fair between sessions.
 */
#ifndef BULK_H
#define BULK_H

#include "bench.h"
#include "histogram.h"
#include "pairs.h"

struct bulk;

struct bulk_plan {
	size_t write_size;
	bool both_ways; /* else only from client to server */
	bool check;
	bool background; /* the threads have a lower priority */

	/*
	 * How long bytes take from the call that sent them until they are
	 * received, from bulk_time() on.  Borrowed until bulk_stop(), and not
	 * to be read before; NULL: not measured.  For one direction only.
	 */
	struct histogram *delays;
};

/*
 * Starts the threads.  The caller keeps the pairs, but must not use them;
 * failures are counted in the tally.  NULL with the reason on stderr.
 */
struct bulk *bulk_start(const struct pair *pairs, size_t count,
	const struct bulk_plan *plan, struct tally *tally);

/* Bytes received from each pair so far, both directions together. */
void bulk_read(const struct bulk *bulk, uint64_t *received);

/* From now on delays count. */
void bulk_time(struct bulk *bulk);

/* Stops the threads. */
void bulk_stop(struct bulk *bulk);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* heavy.h - chooses sessions by the thread of the server that serves them. */
#ifndef HEAVY_H
#define HEAVY_H

#include "bench.h"
#include "pairs.h"

/*
 * Moves `heavy` pairs to the beginning of the list: of one thread, or with
 * `spread` of as many as there are.  The thread of a pair is the one that uses
 * most CPU time while bytes pass through it; without a server's process all
 * count as one.  Returns of how many threads they are; 0: no thread has so
 * many, or a pair has failed.
 */
size_t heavy_choose(
	struct bench *bench, struct pairs *pairs, size_t heavy, bool spread);

#endif

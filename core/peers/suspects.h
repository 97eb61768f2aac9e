/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Suspects: sources whose recent connections did not settle.
 *
 * A table of fixed size: a source has two counts, each of which other sources
 * may share by accident; the lower one is used.  Counts decay with time.  Pure:
 * hashes and time are passed in.
 */
#ifndef SUSPECTS_H
#define SUSPECTS_H

#include <stdbool.h>
#include <stdint.h>

#define SUSPECTS_COUNTS  4096 /* a power of 2; two rows of so many */
#define SUSPECTS_HALF_MS 4000 /* after this time, a count is halved */
#define SUSPECTS_FROM    16   /* from this count on a source is suspect */
#define SUSPECTS_REGAIN  8    /* one that settles subtracts this */

struct suspects {
	uint8_t counts[2][SUSPECTS_COUNTS];
	int64_t halved_ms;
};

void suspects_init(struct suspects *suspects, int64_t now_ms);
/* A connection of the source ended before it settled; one settled. */
void suspects_failed(struct suspects *suspects, uint64_t hash, int64_t now_ms);
void suspects_settled(struct suspects *suspects, uint64_t hash, int64_t now_ms);
bool suspects_have(struct suspects *suspects, uint64_t hash, int64_t now_ms);

#endif

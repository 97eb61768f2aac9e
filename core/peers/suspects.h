/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Suspects: sources whose recent connections did not settle.
 *
 * The table has a fixed size.  A source has one count in each of its two rows;
 * other sources may share a count by accident, so the lower one is used.
 * Counts decay with time.  Pure: the caller passes hashes and time.
 */
#ifndef SUSPECTS_H
#define SUSPECTS_H

#include <stdbool.h>
#include <stdint.h>

#define SUSPECTS_COUNTS  4096 /* in each of the two rows; a power of 2 */
#define SUSPECTS_HALF_MS 4000 /* after this time, counts are halved */
#define SUSPECTS_FROM    16   /* with this count, a source is suspect */
#define SUSPECTS_REGAIN  8    /* a connection that settles subtracts this */

struct suspects {
	uint8_t counts[2][SUSPECTS_COUNTS];
	int64_t halved_ms;
};

void suspects_init(struct suspects *suspects, int64_t now_ms);
/* A connection of the source has ended without settling, or has settled. */
void suspects_failed(struct suspects *suspects, uint64_t hash, int64_t now_ms);
void suspects_settled(struct suspects *suspects, uint64_t hash, int64_t now_ms);
bool suspects_have(struct suspects *suspects, uint64_t hash, int64_t now_ms);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Suspects: sources whose connections came to nothing lately.
 *
 * A record of fixed size, in which a source has two counts that it may share
 * with others by accident; the lower one counts.  What is old is forgotten.
 * Pure: hashes and time are passed in.
 */
#ifndef SUSPECTS_H
#define SUSPECTS_H

#include <stdbool.h>
#include <stdint.h>

#define SUSPECTS_COUNTS  4096 /* a power of 2; two rows of so many */
#define SUSPECTS_HALF_MS 4000 /* after which a count is worth half */
#define SUSPECTS_FROM    16   /* from this count on a source is suspect */
#define SUSPECTS_REGAIN  8    /* what one that settled is worth */

struct suspects {
	uint8_t counts[2][SUSPECTS_COUNTS];
	int64_t halved_ms;
};

void suspects_init(struct suspects *suspects, int64_t now_ms);
/* A connection from there came to nothing, or to something. */
void suspects_failed(struct suspects *suspects, uint64_t hash, int64_t now_ms);
void suspects_settled(struct suspects *suspects, uint64_t hash, int64_t now_ms);
bool suspects_have(struct suspects *suspects, uint64_t hash, int64_t now_ms);

#endif

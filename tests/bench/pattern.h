/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pattern.h - bytes that tell their place in a stream.
 *
 * A fixed table of random bytes, repeated; its length is prime, so that a
 * stream that lost, doubled or swapped blocks of any usual size differs.  Each
 * stream starts at another place, so that bytes of other streams differ too.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most that pattern_at() guarantees behind its result. */
#define PATTERN_RUN 1048576

/* Makes the table; once, before any other call. */
void pattern_init(void);

/* PATTERN_RUN bytes of a stream from a position on. */
const uint8_t *pattern_at(unsigned stream, uint64_t position);

bool pattern_fits(
	unsigned stream, uint64_t position, const uint8_t *data, size_t len);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pattern.h - bytes that depend on their position in a stream.
 *
 * A fixed table of random bytes is repeated.  Its length is prime, so that
 * lost, duplicated or swapped blocks of any usual size are detected.  Each
 * stream starts at another position, so that bytes of other streams are
 * detected, too.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number of valid bytes at the result of pattern_at(). */
#define PATTERN_RUN 1048576

/* Creates the table; call it once, before all others. */
void pattern_init(void);

/* PATTERN_RUN bytes of a stream, starting at a position. */
const uint8_t *pattern_at(unsigned stream, uint64_t position);

bool pattern_fits(
	unsigned stream, uint64_t position, const uint8_t *data, size_t len);

#endif

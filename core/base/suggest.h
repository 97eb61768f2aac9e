/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Finds the word that was probably meant by a misspelt one.
 */
#ifndef RELAY_SUGGEST_H
#define RELAY_SUGGEST_H

#include <stddef.h>

#define SUGGEST_WORD_MAX 64 /* bytes; longer words are not compared */

/*
 * Returns the candidate that is nearest to word (the first, if several are), or
 * NULL if none is near.  The distance is the number of inserted, deleted and
 * changed characters and of swapped neighbours.  Near means a distance of at
 * most 2, and of less than half the length of word.
 *
 * The result is borrowed from candidates, none of which may be NULL.  Any
 * thread.  It allocates nothing; the work is bounded by n, the number of
 * candidates.
 */
const char *suggest_nearest(
	const char *word, const char *const *candidates, size_t n);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * suggest.h - finds the word that somebody meant to write.
 */
#ifndef RELAY_SUGGEST_H
#define RELAY_SUGGEST_H

#include <stddef.h>

#define SUGGEST_WORD_MAX 64 /* bytes; longer words are near to nothing */

/*
 * Returns the one of the n candidates that is nearest to word, the first of
 * several, or NULL if none is near.  Distance counts inserted, deleted and
 * changed characters and swapped neighbours; near is at most 2 of them and
 * fewer than half the characters of word.
 *
 * The result is borrowed from candidates, none of which may be NULL.  Any
 * thread, no allocation; the work is bounded by n.
 */
const char *suggest_nearest(
	const char *word, const char *const *candidates, size_t n);

#endif

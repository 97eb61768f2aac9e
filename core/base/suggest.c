/* SPDX-License-Identifier: MPL-2.0 */

/* Finds the nearest word by Damerau-Levenshtein distance. */

#include <string.h>

#include "base/suggest.h"

#define NEAR_MAX 2

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* The rows have the distances between the first i, i-1 and i-2 characters of a
 * and each prefix of b; swapped neighbours need the row before the last. */
static void fill_row(unsigned rows[3][SUGGEST_WORD_MAX + 1], size_t i,
	const char *a, const char *b, size_t b_len)
{
	unsigned *row = rows[i % 3];
	const unsigned *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

	row[0] = (unsigned)i;
	for (size_t j = 1; j <= b_len; j++) {
		unsigned change = a[i - 1] != b[j - 1];

		row[j] = min3(
			above[j] + 1, row[j - 1] + 1, above[j - 1] + change);
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			a[i - 2] == b[j - 1] && above2[j - 2] + 1 < row[j])
			row[j] = above2[j - 2] + 1;
	}
}

static unsigned distance(
	const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][SUGGEST_WORD_MAX + 1] = {{0}};

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++)
		fill_row(rows, i, a, b, b_len);
	return rows[a_len % 3][b_len];
}

const char *suggest_nearest(
	const char *word, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = NEAR_MAX + 1;
	size_t len = strnlen(word, SUGGEST_WORD_MAX + 1);

	if (len > SUGGEST_WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t c_len = strnlen(candidates[i], SUGGEST_WORD_MAX + 1);
		unsigned d;

		if (c_len > SUGGEST_WORD_MAX || c_len > len + NEAR_MAX ||
			len > c_len + NEAR_MAX)
			continue;
		d = distance(word, len, candidates[i], c_len);
		if (d < best_distance && (size_t)d * 2 < len) {
			best = candidates[i];
			best_distance = d;
		}
	}
	return best;
}

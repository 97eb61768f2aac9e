/* SPDX-License-Identifier: MPL-2.0 */

/* Lists of options: words, and NULL after the last. */

#include <string.h>

#include "config/options.h"

size_t option_list_count(const char *const *list)
{
	size_t count = 0;

	while (list[count])
		count++;
	return count;
}

bool option_list_has(const char *const *list, const char *word)
{
	while (*list && strcmp(*list, word) != 0)
		list++;
	return *list != NULL;
}

bool option_list_same(const char *const *a, const char *const *b)
{
	while (*a && *b && strcmp(*a, *b) == 0)
		a++, b++;
	return !*a && !*b;
}

/* SPDX-License-Identifier: MPL-2.0 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf_copy.h"

static void list_free(const char *const *list)
{
	for (size_t i = 0; list && list[i]; i++)
		free((void *)(uintptr_t)list[i]);
	free((void *)(uintptr_t)list);
}

static const char *const *list_copy(const char *const *list)
{
	size_t count = 0;
	const char **copy;

	while (list[count])
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = strdup(list[i]);
		if (!copy[i]) {
			list_free(copy);
			return NULL;
		}
	}
	return copy;
}

struct conf *conf_copy(const struct conf *conf)
{
	struct conf *copy = calloc(1, sizeof(*copy));
	bool whole;

	if (!copy)
		return NULL;
	copy->tokens = list_copy(conf->tokens);
	copy->token_file = strdup(conf->token_file);
	copy->named_tokens = strdup(conf->named_tokens);
	whole = copy->tokens && copy->token_file && copy->named_tokens;
	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES; half++) {
			copy->lists[list][half] =
				list_copy(conf->lists[list][half]);
			whole &= copy->lists[list][half] != NULL;
		}
	if (whole)
		return copy;
	conf_copy_free(copy);
	return NULL;
}

void conf_copy_free(struct conf *copy)
{
	if (!copy)
		return;
	for (int list = 0; list < LISTS; list++)
		for (int half = 0; half < HALVES; half++)
			list_free(copy->lists[list][half]);
	list_free(copy->tokens);
	free((void *)(uintptr_t)copy->token_file);
	free((void *)(uintptr_t)copy->named_tokens);
	free(copy);
}

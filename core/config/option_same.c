/* SPDX-License-Identifier: MPL-2.0 */

/* Whether two values of an option are equal. */

#include <string.h>

#include "config/options.h"

bool option_same(const struct relay_value *a, const struct relay_value *b)
{
	switch (a->option->type) {
	case RELAY_STRING:
		return strcmp(a->string, b->string) == 0;
	case RELAY_LIST:
		return option_list_same(a->list, b->list);
	case RELAY_BOOL:
	case RELAY_INT:
	case RELAY_SIZE:
	case RELAY_RATE:
	case RELAY_DURATION:
	case RELAY_CHOICE:
		break;
	}
	return a->number == b->number;
}

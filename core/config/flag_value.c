/* SPDX-License-Identifier: MPL-2.0 */

/* Values of flags as scripts pass them. */

#include <string.h>

#include "config/flag_table.h"
#include "config/flag_value.h"

bool flag_value_is_absent(const struct flag *flag, const char *value)
{
	const struct relay_option *option = flag->option;

	if (*value || flag->special != FLAG_OPTION ||
		option->flags & (RELAY_OPTION_GUARD | RELAY_OPTION_FILLED))
		return false;
	/* Most texts and lists may be empty, as that of status-srv. */
	if (option->type == RELAY_STRING || option->type == RELAY_LIST)
		return option->min > 0;
	return true;
}

bool flag_value_is_quoted(const char *value)
{
	size_t len = strlen(value);

	return len > 1 && (*value == '\'' || *value == '"') &&
	       value[len - 1] == *value;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Whether the configuration asks devices for a token. */

#include <strelaysrv/module.h>

#include "shared/token_options.h"

static bool is_set(struct relay_ctx *cx, const char *section, const char *name)
{
	struct relay_value value;

	if (relay_option_get(cx, section, name, &value) != 0)
		return false;
	return value.list ? value.list[0] != NULL
			  : value.string && value.string[0];
}

bool token_options_are_set(struct relay_ctx *cx)
{
	return is_set(cx, "relay", "token") ||
	       is_set(cx, "relay", "token-file") ||
	       is_set(cx, "access", "tokens") ||
	       is_set(cx, "access", "token-file") ||
	       is_set(cx, "access", "named-tokens");
}

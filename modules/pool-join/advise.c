/* SPDX-License-Identifier: MPL-2.0 */

/* Warnings about settings that may be unintended. */

#include <stdlib.h>

#include "../shared/shown_url.h"
#include "advise.h"
#include "pools.h"

static bool is_set(struct relay_ctx *cx, const char *section, const char *name)
{
	struct relay_value value;

	if (relay_option_get(cx, section, name, &value) != 0)
		return false;
	return value.list ? value.list[0] != NULL
			  : value.string && value.string[0];
}

/* For -check, in which no module runs that could be asked. */
static bool has_token(struct relay_ctx *cx)
{
	return is_set(cx, "relay", "token") ||
	       is_set(cx, "relay", "token-file") ||
	       is_set(cx, "access", "tokens") ||
	       is_set(cx, "access", "token-file") ||
	       is_set(cx, "access", "named-tokens");
}

static void tell_public(const struct relay_ctx *cx, const char *url)
{
	char *shown = shown_url(url);

	relay_log(cx, RELAY_WARNING,
		"the relay joins the pool %s and becomes public%s; "
		"-pools=\"\", pools = {} in the section pool-join, or a token "
		"keep it private",
		shown ? shown : "that is configured",
		getenv("CREDENTIALS_DIRECTORY")
			? ", unless there is a credential token"
			: "");
	free(shown);
}

void pools_advise(struct relay_ctx *cx, const void *values)
{
	const struct conf *conf = values;
	bool is_private = has_token(cx);

	for (const char *const *url = conf->pools; *url; url++) {
		pools_warn_of(cx, *url);
		if (!is_private)
			tell_public(cx, *url);
	}
}

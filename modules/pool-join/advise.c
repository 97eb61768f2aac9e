/* SPDX-License-Identifier: MPL-2.0 */

/* Warnings about settings that may be unintended. */

#include <stdlib.h>

#include "../shared/shown_url.h"
#include "../shared/token_options.h"
#include "advise.h"
#include "pools.h"

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
	/* No module runs in a check that could be asked. */
	bool is_private = token_options_are_set(cx);

	for (const char *const *url = conf->pools; *url; url++) {
		pools_warn_of(cx, *url);
		if (!is_private)
			tell_public(cx, *url);
	}
}

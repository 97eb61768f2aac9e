/* SPDX-License-Identifier: MPL-2.0 */

/* bad-default: the default of an option is not among its values. */

#include <strelaysrv/module.h>

struct conf {
	int64_t limit;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, limit, int64_t, "limit", RELAY_INT, "many", 0, 9,
		"how many"),
	RELAY_OPT_END,
};

RELAY_MODULE = {
	RELAY_MODULE_INFO("bad-default", "1", "has a default that is no value"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
};

/* SPDX-License-Identifier: MPL-2.0 */

/* bad-options: its table has the same option twice. */

#include <strelaysrv/module.h>

struct conf {
	int64_t first, second;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, first, int64_t, "limit", RELAY_INT, "1", 0, 9,
		"the first of that name"),
	RELAY_OPT(struct conf, second, int64_t, "limit", RELAY_INT, "2", 0, 9,
		"the second of that name"),
	RELAY_OPT_END,
};

RELAY_MODULE = {
	RELAY_MODULE_INFO("bad-options", "1", "names one option twice"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
};

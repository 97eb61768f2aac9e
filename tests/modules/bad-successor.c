/* SPDX-License-Identifier: MPL-2.0 */

/* bad-successor: a deprecated option and its successor have different types. */

#include <strelaysrv/module.h>

struct conf {
	int64_t limit;
	const char *word;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, word, const char *, "limit", RELAY_STRING, "", 0,
		0, "the name of now"),
	RELAY_OPT(struct conf, limit, int64_t, "most", RELAY_INT, "5", 1, 9,
		"the name of before", .successor = "limit"),
	RELAY_OPT_END,
};

RELAY_MODULE = {
	RELAY_MODULE_INFO("bad-successor", "1", "has a successor of no use"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
};

/* SPDX-License-Identifier: MPL-2.0 */

/* deprecated: has options of every type, each with its deprecated and its
 * current name. */

#include <inttypes.h>

#include <strelaysrv/module.h>

struct conf {
	int64_t limit;
	const char *const *words;
	int64_t colour;
};

static const char *const colours[] = {"red", "green", NULL};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, limit, int64_t, "most", RELAY_INT, "5", 1, 9,
		"the name of before", .flag = "deprecated-most",
		.successor = "limit"),
	RELAY_OPT(struct conf, limit, int64_t, "limit", RELAY_INT, "5", 1, 9,
		"the name of now", .flag = "deprecated-limit"),
	RELAY_OPT(struct conf, words, const char *const *, "words", RELAY_LIST,
		"a,b", 0, 3, "the name of now"),
	RELAY_OPT(struct conf, words, const char *const *, "phrases",
		RELAY_LIST, "a,b", 0, 3, "the name of before",
		.successor = "words"),
	RELAY_OPT(struct conf, colour, int64_t, "colour", RELAY_CHOICE, "red",
		0, 0, "the name of now", .choices = colours),
	RELAY_OPT(struct conf, colour, int64_t, "paint", RELAY_CHOICE, "red", 0,
		0, "the name of before", .choices = colours,
		.successor = "colour"),
	RELAY_OPT_END,
};

static void tell(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;
	size_t n = 0;

	while (conf->words[n])
		n++;
	relay_log(cx, RELAY_NOTICE, "limit %" PRId64 ", %zu words, %s",
		conf->limit, n, colours[conf->colour]);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("deprecated", "1", "has options of before"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.ready = tell,
	.reload = tell,
};

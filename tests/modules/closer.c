/* SPDX-License-Identifier: MPL-2.0 */

/* closer: closes the server with the reason that its option gives, and adds to
 * /status. */

#include <strelaysrv/module.h>

struct conf {
	bool close;
	bool fail;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, close, bool, "close", RELAY_BOOL, "yes", 0, 0,
		"whether it is closed"),
	RELAY_OPT(struct conf, fail, bool, "fail", RELAY_BOOL, "no", 0, 0,
		"whether to fail after that"),
	RELAY_OPT_END};

static void show(struct relay_ctx *self, struct relay_status *to)
{
	const struct conf *conf = self->conf;

	to->text(to, "name", "\"closer\"\n");
	to->number(to, "closes", conf->close);
	to->number(to, "largest", INT64_MAX);
	to->number(to, "largest", 1); /* the first equal name counts */
	to->text(to, "largest", "none");
}

static const struct relay_status_part part = {.show = show};

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_service_publish(cx, "closer" RELAY_STATUS_PART,
		       RELAY_STATUS_VERSION, &part) == 0
		       ? 0
		       : relay_fail(err, "no service");
}

static void apply(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;

	relay_set_closed(cx, conf->close ? "tests" : NULL);
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	const struct conf *conf = cx->conf;

	apply(cx);
	return conf->fail ? relay_fail(err, "as it was told") : 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("closer", "1", "closes the server to newcomers"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.init = init,
	.start = start,
	.reload = apply,
};

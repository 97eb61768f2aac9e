/* SPDX-License-Identifier: MPL-2.0 */

/* probe: shows on /probe what a module can read of others. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>

#include <strelaysrv/module.h>

static int add_sample(const struct relay_sample *sample, void *arg)
{
	struct evbuffer *body = arg;

	evbuffer_add_printf(
		body, "metric %s.%s", sample->module, sample->def->name);
	if (sample->value_name)
		evbuffer_add_printf(body, ".%s", sample->value_name);
	evbuffer_add_printf(body, " %" PRId64 "\n", sample->value);
	return 0;
}

/* The query is a list of SECTION.OPTION, separated by '&'.  Options of the core
 * have no dot. */
static void add_options(
	struct relay_ctx *cx, const char *query, struct evbuffer *body)
{
	char section[64], name[64];
	struct relay_value value;

	for (; *query; query += strcspn(query, "&"), query += *query == '&') {
		bool own = sscanf(query, "%63[^.&].%63[^&]", section, name) < 2;

		if (own)
			snprintf(name, sizeof(name), "%s", section);
		if (relay_option_get(cx, own ? NULL : section, name, &value))
			evbuffer_add_printf(body, "option %s none\n", name);
		else if (value.string)
			evbuffer_add_printf(
				body, "option %s %s\n", name, value.string);
		else
			evbuffer_add_printf(body, "option %s %" PRId64 "\n",
				name, value.number);
	}
}

static void route(struct relay_ctx *cx, struct relay_http *http)
{
	struct relay_ctx *self;
	const int *service = relay_service_find(cx, "counter", 2, &self);

	if (service)
		evbuffer_add_printf(
			http->body, "service counter %d\n", *service);
	evbuffer_add_printf(http->body, "workers %d\n", relay_worker_count());
	relay_metrics_visit(cx, add_sample, http->body);
	add_options(cx, http->query, http->body);
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_http_route(cx, "/probe", route) == 0
		       ? 0
		       : relay_fail(err, "no route");
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("probe", "1", "shows what modules can see"),
	.flags = RELAY_CONFINED,
	.init = init,
};

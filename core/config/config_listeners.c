/* SPDX-License-Identifier: MPL-2.0 */

/* The sections of listeners. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_listeners.h"
#include "config/config_report.h"
#include "config/options.h"

#define ROW(field, ctype, ...)                                                 \
	RELAY_OPT(struct listener_conf, field, ctype, __VA_ARGS__)

const struct relay_option listener_options[] = {
	ROW(address, const char *, "address", RELAY_STRING, "", 0, 0,
		"the address, as in listen; it must be set"),
	ROW(proxy, bool, "proxy", RELAY_BOOL, "no", 0, 0,
		"only proxies connect to it, and each connection begins with a "
		"PROXY protocol header, see proxy-listen"),
	ROW(proxy_from, const char *const *, "proxy-from", RELAY_LIST, "", 0,
		64,
		"addresses and ranges of these proxies; none: those of the top "
		"level",
		.flags = RELAY_OPTION_GUARD),
	ROW(guarded, bool, "private", RELAY_BOOL, "no", 0, 0,
		"serve only those who prove with a secret that they may use "
		"the server, such as the token of the module relay",
		.flags = RELAY_OPTION_GUARD),
	ROW(protocol, const char *, "protocol", RELAY_STRING, "", 0,
		CORE_PROTOCOL_NAME_MAX,
		"the module that serves the connections, which no other module "
		"takes then; nobody is told the address; empty: any module"),
	ROW(max_connections, int64_t, "max-connections", RELAY_INT, "0", 0,
		100000000,
		"connections that came in here that may be open at once; 0: "
		"only the server's own limit counts"),
	RELAY_OPT_END};

bool config_is_listener(const char *section)
{
	const size_t len = strlen(CONFIG_LISTENER);

	return section && strncmp(section, CONFIG_LISTENER, len) == 0 &&
	       section[len] == ' ';
}

static void make_free(struct config_section *place)
{
	*place = (struct config_section){
		.name = "", .listener = true, .required = true};
}

void config_listeners_reserve(struct config_section *places)
{
	for (size_t i = 0; i < CORE_LISTENERS_MAX; i++)
		make_free(&places[i]);
}

int config_listener_name_check(const char *name, struct relay_err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	/* The names of other sockets, see inherited.h. */
	static const char *const taken[] = {"any", "status", "private"};
	size_t len = strlen(name);

	if (len == 0)
		return relay_fail(err, "the name of a listener is empty");
	if (len > CORE_LISTENER_NAME_MAX)
		return relay_fail(err,
			"the name of a listener has %zu characters; at most %d "
			"are allowed",
			len, CORE_LISTENER_NAME_MAX);
	if (strspn(name, allowed) != len)
		return relay_fail(err,
			"the name of a listener may have only letters, digits, "
			"'-', '_' and '.'");
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (strcmp(name, taken[i]) == 0)
			return relay_fail(err,
				"no listener can have the name %s: sockets of "
				"the service manager have it",
				name);
	return 0;
}

int config_listener_open(
	struct config_section *place, const char *name, struct relay_err *err)
{
	place->title = strdup(name);
	if (asprintf(&place->called, CONFIG_LISTENER " %s", name) < 0)
		place->called = NULL;
	place->options = listener_options;
	place->conf_size = sizeof(struct listener_conf);
	if (!place->title || !place->called)
		(void)relay_fail(err, "out of memory");
	else if (config_section_fill(place, err) == 0) {
		place->name = place->called;
		return 0;
	}
	config_listener_close(place);
	return -1;
}

void config_listener_close(struct config_section *place)
{
	config_section_empty(place);
	free(place->title);
	free(place->called);
	make_free(place);
}

/* The default of `listen` is for those who name no address at all. */
static int drop_default(struct config_section *own)
{
	static const char *const none[] = {NULL};
	const struct relay_option *listen =
		options_find(own->options, "listen");
	const struct core_conf empty = {.listen = none};
	char **origin = &own->origins[listen - own->options];

	if (*origin)
		return 0;
	*origin = strdup("default, as there are listeners");
	return *origin ? option_copy(listen, &empty, own->values) : -1;
}

static void add_words(struct core_conf *conf)
{
	for (const char *const *word = conf->listen; *word; word++)
		conf->listeners[conf->listener_count++] =
			(struct core_listener){.name = "",
				.address = *word,
				.protocol = "",
				.proxied = option_list_has(
					conf->proxy_listen, *word),
				.proxy_from = conf->proxy_from};
}

static void add_section(
	struct core_conf *conf, const struct config_section *section)
{
	const struct relay_option *address =
		options_find(section->options, "address");
	const char *origin = section->origins[address - section->options];
	const struct listener_conf *values = section->values;

	if (!values->address[0])
		return; /* that was reported where the section ends */
	conf->listeners[conf->listener_count++] =
		(struct core_listener){.name = section->title,
			.origin = origin ? origin : "the file",
			.address = values->address,
			.proxied = values->proxy,
			.proxy_from = values->proxy_from[0] ? values->proxy_from
							    : conf->proxy_from,
			.guarded = values->guarded,
			.protocol = values->protocol,
			.max_connections = values->max_connections};
}

/* A module that does not run serves nobody there. */
static void check_protocol(const struct core_conf *conf,
	const struct core_listener *one, struct config_report *to)
{
	if (one->protocol[0] && !option_list_has(conf->modules, one->protocol))
		config_report(to, RELAY_ERROR,
			"%s: listener %s: protocol is \"%s\", a module that "
			"the "
			"option modules does not name",
			one->origin, one->name, one->protocol);
}

void config_listeners_make(
	struct config_section *sections, size_t n, struct config_report *to)
{
	struct core_conf *conf = sections[0].values;
	size_t titled = 0;

	for (size_t i = 1; i < n; i++)
		titled += sections[i].title != NULL;
	if (titled > 0 && drop_default(&sections[0]) != 0) {
		config_report(to, RELAY_ERROR, "out of memory");
		return;
	}
	conf->listeners = calloc(option_list_count(conf->listen) + titled + 1,
		sizeof(*conf->listeners));
	if (!conf->listeners) {
		config_report(to, RELAY_ERROR, "out of memory");
		return;
	}
	add_words(conf);
	for (size_t i = 1; i < n; i++)
		if (sections[i].title)
			add_section(conf, &sections[i]);
	for (size_t i = 0; i < conf->listener_count; i++)
		check_protocol(conf, &conf->listeners[i], to);
}

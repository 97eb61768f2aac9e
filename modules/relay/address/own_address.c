/* SPDX-License-Identifier: MPL-2.0 */

#include <netinet/in.h>
#include <string.h>

#include <strelaysrv/units.h>

#include "relay/address/own_address.h"
#include "relay/data.h"
#include "relay/service.h"

#define LOOKUP_POLL_MS  50
#define LOOKUP_RETRY_MS 30000 /* or the option, if that is shorter */
#define FIRST_LOOKUP_S  5
#define NS_PER_MS       1000000

_Static_assert(RELAY_SERVICE_URI >= URI_TEXT, "every URI fits");

static int64_t option_number(
	struct relay_ctx *cx, const char *section, const char *name)
{
	struct relay_value value;

	return relay_option_get(cx, section, name, &value) == 0 ? value.number
								: 0;
}

/* Milliseconds until the name is resolved again. */
static int64_t next_look(const struct relay_ctx *cx)
{
	int64_t ms = conf_of(cx)->ext_lookup_ms;

	return data_of(cx)->own_address.lookup_failed && ms > LOOKUP_RETRY_MS
		       ? LOOKUP_RETRY_MS
		       : ms;
}

/* Most pools use IPv4, so an IPv6 address is only the fallback. */
static const char *status_address(
	const struct relay_ctx *cx, char text[ADVERTISE_TEXT])
{
	const struct own_address *own_address = &data_of(cx)->own_address;
	const char *ext_status = conf_of(cx)->ext_status;
	bool v4 = own_address->status_v4.known;

	if (!v4 && !own_address->status_v6.known)
		return ext_status[0] ? ext_status : relay_status_text();
	advertise_format(v4 ? &own_address->status_v4 : &own_address->status_v6,
		!v4, text);
	return text;
}

int own_address_uri(
	struct relay_ctx *cx, char *out, size_t cap, struct relay_err *err)
{
	const struct relay_data *data = data_of(cx);
	const struct relay_conf *conf = conf_of(cx);
	char id[RELAY_DEVICE_ID_TEXT], status[ADVERTISE_TEXT];
	struct uri uri = {
		.host = data->advertise.host,
		.port = data->advertise.port,
		.id = id,
		.network_timeout_ms = conf->network_timeout_ms,
		.ping_interval_ms = conf->ping_interval_ms,
		.global_limit = option_number(cx, "rate-limit", "global"),
		.session_limit = option_number(cx, "rate-limit", "per-session"),
		.provided_by = conf->provided_by,
		.status_addr = status_address(cx, status),
	};

	relay_device_id_format(relay_server_id(), id);
	return uri_format(&uri, out, cap, err);
}

static void notify(struct relay_ctx *cx)
{
	struct own_address *own_address = &data_of(cx)->own_address;

	own_address->moved = false;
	for (size_t i = 0; i < OWN_ADDRESS_WATCHERS; i++) {
		struct own_address_watcher *w = &own_address->watchers[i];

		/* Without memory it is tried again, see refresh(). */
		if (w->cx && relay_post(w->cx, RELAY_CONTROL, w->changed, NULL,
				     0) != 0)
			own_address->moved = true;
	}
}

void own_address_tell(struct relay_ctx *cx)
{
	struct own_address *own_address = &data_of(cx)->own_address;
	char text[URI_TEXT];
	struct relay_err err;
	bool changed;

	if (own_address_uri(cx, text, sizeof(text), &err) != 0) {
		relay_log(cx, RELAY_ERROR, "no URI: %s", err.text);
		return;
	}
	relay_log(cx, RELAY_NOTICE, "URI: %s", text);
	changed = own_address->told && strcmp(text, own_address->uri) != 0;
	memcpy(own_address->uri, text, sizeof(text));
	if (changed || (own_address->told && own_address->moved))
		notify(cx);
	else
		own_address->moved = false;
	own_address->told = true;
}

/* Addresses from other modules override the options. */
static void apply(struct relay_ctx *cx)
{
	struct relay_data *data = data_of(cx);
	struct own_address *own_address = &data->own_address;
	struct advertise advertise = own_address->base;

	if (own_address->mapped_v6.known)
		advertise_replace(&advertise, true, &own_address->mapped_v6);
	if (own_address->mapped_v4.known)
		advertise_replace(&advertise, false, &own_address->mapped_v4);
	if (!advertise_equal(&advertise, &data->advertise))
		own_address->moved = true;
	pthread_mutex_lock(&data->lock);
	data->advertise = advertise;
	pthread_mutex_unlock(&data->lock);
}

static void tell_change(struct relay_ctx *cx)
{
	struct own_address *own_address = &data_of(cx)->own_address;
	char text[URI_TEXT];

	apply(cx);
	if (!own_address->told ||
		own_address_uri(cx, text, sizeof(text), NULL) != 0)
		return;
	if (strcmp(text, own_address->uri) != 0)
		own_address_tell(cx);
	else if (own_address->moved)
		notify(cx);
}

static void log_failed(struct relay_ctx *cx, const char *host, int error)
{
	char again[RELAY_DURATION_TEXT];

	relay_duration_format(next_look(cx) * NS_PER_MS, again);
	relay_log(cx, RELAY_WARNING,
		"ext-address: cannot look up %s: %s; the last known address "
		"stays, tries again in %s",
		host,
		error == EAI_INPROGRESS ? "the name server is silent"
					: gai_strerror(error),
		again);
}

/*
 * A name server may fail for a while; the relay runs meanwhile, and clients use
 * the address they connect to.  A name that does not exist is an error.
 */
static bool is_lasting(int error)
{
	return error && error != EAI_INPROGRESS && error != EAI_AGAIN &&
	       error != EAI_MEMORY && error != EAI_SYSTEM;
}

static int look_up_first(
	struct relay_ctx *cx, struct advertise *base, struct relay_err *err)
{
	struct own_address *own_address = &data_of(cx)->own_address;
	const struct addrinfo *list = NULL;
	struct lookup *lookup;
	char host[sizeof(base->host)];
	int error = EAI_MEMORY;

	advertise_bare_host(base, host);
	lookup = lookup_begin(host, NULL, SOCK_STREAM);
	if (lookup)
		error = lookup_wait(lookup, FIRST_LOOKUP_S, &list);
	if (error == 0)
		(void)advertise_update(base, list);
	lookup_end(lookup);
	if (is_lasting(error))
		return relay_fail(err, "ext-address: cannot look up %s: %s",
			host, gai_strerror(error));
	own_address->lookup_failed = error != 0;
	if (error != 0)
		log_failed(cx, host, error);
	return 0;
}

int own_address_load(struct relay_ctx *cx, struct relay_err *err)
{
	struct advertise *base = &data_of(cx)->own_address.base;

	if (advertise_init(base, conf_of(cx)->ext_address, err) != 0 ||
		(base->is_name && look_up_first(cx, base, err) != 0))
		return -1;
	apply(cx);
	return 0;
}

/* Names are resolved regularly. */

static void take_result(struct relay_ctx *cx)
{
	struct own_address *own_address = &data_of(cx)->own_address;
	const struct addrinfo *list;
	int error = lookup_result(own_address->lookup, &list);

	own_address->lookup_failed = error != 0;
	if (error)
		log_failed(cx, own_address->looked_up, error);
	if (!error && advertise_update(&own_address->base, list)) {
		relay_log(cx, RELAY_NOTICE,
			"ext-address: %s has another address now",
			own_address->base.host);
		tell_change(cx);
	}
	lookup_end(own_address->lookup);
	own_address->lookup = NULL;
}

/* Whether the lookup goes on; if it takes long, that is logged once. */
static bool is_looking(struct relay_ctx *cx)
{
	struct own_address *own_address = &data_of(cx)->own_address;
	const struct addrinfo *list;

	if (lookup_result(own_address->lookup, &list) != EAI_INPROGRESS)
		return false;
	if (own_address->lookup_ms &&
		relay_now_ms(cx) - own_address->lookup_ms >=
			FIRST_LOOKUP_S * 1000) {
		own_address->lookup_ms = 0;
		relay_log(cx, RELAY_WARNING,
			"ext-address: the name server, asked for %s, is "
			"silent; goes on with what is known",
			own_address->looked_up);
	}
	return true;
}

/* A reload has changed the name: nobody needs the result any more. */
static void drop_old(struct own_address *own_address)
{
	if (!own_address->lookup ||
		strcmp(own_address->looked_up, own_address->base.host) == 0)
		return;
	lookup_end(own_address->lookup);
	own_address->lookup = NULL;
}

static int64_t refresh(struct relay_ctx *cx, void *arg)
{
	struct own_address *own_address = &data_of(cx)->own_address;
	char host[sizeof(own_address->base.host)];

	(void)arg;
	if (own_address->told && own_address->moved)
		notify(cx);
	drop_old(own_address);
	if (own_address->lookup) {
		if (is_looking(cx))
			return LOOKUP_POLL_MS;
		take_result(cx);
		return next_look(cx);
	}
	if (!own_address->base.is_name)
		return next_look(cx);
	own_address->lookup_ms = relay_now_ms(cx);
	advertise_bare_host(&own_address->base, host);
	memcpy(own_address->looked_up, own_address->base.host,
		sizeof(own_address->looked_up));
	own_address->lookup = lookup_begin(host, NULL, SOCK_STREAM);
	return own_address->lookup ? LOOKUP_POLL_MS : next_look(cx);
}

/* The service. */

static int service_uri(struct relay_ctx *self, char *out, size_t cap)
{
	return own_address_uri(self, out, cap, NULL);
}

static bool is_set(struct relay_ctx *cx, const char *section, const char *name)
{
	struct relay_value value;

	if (relay_option_get(cx, section, name, &value) != 0)
		return false;
	return value.list ? value.list[0] != NULL
			  : value.string && value.string[0];
}

static bool service_is_private(struct relay_ctx *self)
{
	return data_of(self)->secret.set || is_set(self, "access", "tokens") ||
	       is_set(self, "access", "token-file");
}

static void service_set(
	struct relay_ctx *self, const struct sockaddr_storage *address)
{
	struct own_address *own_address = &data_of(self)->own_address;

	advertise_address(address->ss_family == AF_INET6
				  ? &own_address->mapped_v6
				  : &own_address->mapped_v4,
		address);
	tell_change(self);
}

static void service_clear(struct relay_ctx *self, int family)
{
	struct own_address *own_address = &data_of(self)->own_address;

	if (family == AF_INET6)
		own_address->mapped_v6.known = false;
	else
		own_address->mapped_v4.known = false;
	tell_change(self);
}

static struct advertise_address *status_of(struct relay_ctx *self, int family)
{
	struct own_address *own_address = &data_of(self)->own_address;

	return family == AF_INET6 ? &own_address->status_v6
				  : &own_address->status_v4;
}

static void service_set_status(
	struct relay_ctx *self, const struct sockaddr_storage *address)
{
	advertise_address(status_of(self, address->ss_family), address);
	tell_change(self);
}

static void service_clear_status(struct relay_ctx *self, int family)
{
	status_of(self, family)->known = false;
	tell_change(self);
}

static void service_unwatch(struct relay_ctx *self, struct relay_ctx *watcher)
{
	struct own_address *own_address = &data_of(self)->own_address;

	for (size_t i = 0; i < OWN_ADDRESS_WATCHERS; i++)
		if (own_address->watchers[i].cx == watcher)
			own_address->watchers[i].cx = NULL;
}

static int service_watch(struct relay_ctx *self, struct relay_ctx *watcher,
	relay_post_fn *changed)
{
	struct own_address *own_address = &data_of(self)->own_address;

	service_unwatch(self, watcher);
	for (size_t i = 0; i < OWN_ADDRESS_WATCHERS; i++)
		if (!own_address->watchers[i].cx) {
			own_address->watchers[i].cx = watcher;
			own_address->watchers[i].changed = changed;
			return 0;
		}
	return -1;
}

static const struct relay_service service = {
	.uri = service_uri,
	.is_private = service_is_private,
	.set_external = service_set,
	.clear_external = service_clear,
	.watch = service_watch,
	.unwatch = service_unwatch,
	.set_external_status = service_set_status,
	.clear_external_status = service_clear_status,
};

int own_address_init(struct relay_ctx *cx)
{
	return relay_service_publish(
		cx, RELAY_SERVICE, RELAY_SERVICE_VERSION, &service);
}

int own_address_start(struct relay_ctx *cx)
{
	struct own_address *own_address = &data_of(cx)->own_address;

	own_address->timer = relay_timer_add(cx, next_look(cx), refresh, NULL);
	return own_address->timer ? 0 : -1;
}

int own_address_prepare(struct relay_ctx *cx, const struct relay_conf *conf,
	struct relay_err *err)
{
	struct own_address *own_address = &data_of(cx)->own_address;
	struct advertise *next = &own_address->next_base;

	if (advertise_init(next, conf->ext_address, err) != 0)
		return -1;
	/* Until it is resolved, use the last addresses of the same name. */
	if (next->is_name && strcmp(next->host, own_address->base.host) == 0 &&
		next->port == own_address->base.port)
		*next = own_address->base;
	own_address->next_timer = relay_timer_add(cx, 1, refresh, NULL);
	return own_address->next_timer ? 0 : relay_fail(err, "out of memory");
}

void own_address_commit(struct relay_ctx *cx)
{
	struct own_address *own_address = &data_of(cx)->own_address;

	own_address->base = own_address->next_base;
	relay_timer_del(own_address->timer);
	own_address->timer = own_address->next_timer;
	own_address->next_timer = NULL;
	apply(cx);
}

void own_address_abandon(struct relay_ctx *cx)
{
	data_of(cx)->own_address.next_timer = NULL; /* the server removes it */
}

void own_address_finish(struct relay_ctx *cx)
{
	struct own_address *own_address = &data_of(cx)->own_address;

	lookup_end(own_address->lookup);
	own_address->lookup = NULL;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* The relay's addresses and URI, and their changes at run time. */

#include <netinet/in.h>
#include <string.h>

#include <strelaysrv/units.h>

#include "relay/address/own_address.h"
#include "relay/data.h"

#define LOOKUP_POLL_MS  50
#define LOOKUP_RETRY_MS 30000 /* or the option, if that is shorter */
#define FIRST_LOOKUP_S  5
#define NS_PER_MS       1000000

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
	char host[EXT_ADDRESS_HOST];
	struct uri uri = {
		.host = host,
		.id = id,
		.network_timeout_ms = conf->network_timeout_ms,
		.ping_interval_ms = conf->ping_interval_ms,
		.global_limit = option_number(cx, "rate-limit", "global"),
		.session_limit = option_number(cx, "rate-limit", "per-session"),
		.provided_by = conf->provided_by,
		.status_addr = status_address(cx, status),
	};

	advertise_uri(&data->advertise, host, &uri.port);
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

	advertise.v4 = own_address->mapped_v4;
	advertise.v6 = own_address->mapped_v6;
	if (!advertise_equal(&advertise, &data->advertise)) {
		own_address->moved = true;
		for (int kind = 0; kind < TOLD_LOST_KINDS; kind++)
			atomic_store(&data->told_lost[kind], false);
	}
	pthread_mutex_lock(&data->lock);
	data->advertise = advertise;
	pthread_mutex_unlock(&data->lock);
}

void own_address_changed(struct relay_ctx *cx)
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

static int take_first(struct relay_ctx *cx, struct ext_address *ext,
	struct lookup *lookup, int64_t end_ms, struct relay_err *err)
{
	const struct addrinfo *list = NULL;
	int64_t left_ms = end_ms - relay_now_ms(cx);
	char host[EXT_ADDRESS_HOST];
	int error = EAI_MEMORY;

	ext_address_bare_host(ext, host);
	if (lookup)
		error = lookup_wait(lookup,
			left_ms > 0 ? (unsigned)((left_ms + 999) / 1000) : 0,
			&list);
	if (error == 0)
		(void)ext_address_update(ext, list);
	if (is_lasting(error))
		return relay_fail(err, "ext-address: cannot look up %s: %s",
			host, gai_strerror(error));
	if (error != 0) {
		data_of(cx)->own_address.lookup_failed = true;
		log_failed(cx, host, error);
	}
	return 0;
}

/* All names at the same time. */
static int look_up_first(
	struct relay_ctx *cx, struct advertise *base, struct relay_err *err)
{
	int64_t end_ms = relay_now_ms(cx) + FIRST_LOOKUP_S * 1000;
	struct lookup *lookups[ADVERTISE_ENTRIES] = {NULL};
	char host[EXT_ADDRESS_HOST];
	int result = 0;

	for (unsigned i = 0; i < base->count; i++) {
		ext_address_bare_host(&base->entries[i], host);
		if (base->entries[i].is_name)
			lookups[i] = lookup_begin(host, NULL, SOCK_STREAM);
	}
	for (unsigned i = 0; i < base->count && result == 0; i++)
		if (base->entries[i].is_name)
			result = take_first(
				cx, &base->entries[i], lookups[i], end_ms, err);
	for (unsigned i = 0; i < base->count; i++)
		lookup_end(lookups[i]);
	return result;
}

int own_address_load(struct relay_ctx *cx, struct relay_err *err)
{
	struct advertise *base = &data_of(cx)->own_address.base;

	if (advertise_init(base, conf_of(cx)->ext_address, err) != 0 ||
		look_up_first(cx, base, err) != 0)
		return -1;
	apply(cx);
	return 0;
}

/* Names are resolved regularly, one after the other. */

/* NULL: no name is left in this round. */
static struct ext_address *looking_for(struct own_address *own_address)
{
	struct advertise *base = &own_address->base;

	while (own_address->looking < base->count &&
		!base->entries[own_address->looking].is_name)
		own_address->looking++;
	return own_address->looking < base->count
		       ? &base->entries[own_address->looking]
		       : NULL;
}

static void take_result(struct relay_ctx *cx)
{
	struct own_address *own_address = &data_of(cx)->own_address;
	const struct addrinfo *list;
	int error = lookup_result(own_address->lookup, &list);

	if (error) {
		own_address->lookup_failed = true;
		log_failed(cx, own_address->looked_up, error);
	} else if (ext_address_update(looking_for(own_address), list)) {
		relay_log(cx, RELAY_NOTICE,
			"ext-address: %s has another address now",
			own_address->looked_up);
		own_address_changed(cx);
	}
	lookup_end(own_address->lookup);
	own_address->lookup = NULL;
	own_address->looking++;
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
	const struct ext_address *ext = looking_for(own_address);
	char host[EXT_ADDRESS_HOST] = "";

	if (ext)
		ext_address_bare_host(ext, host);
	if (!own_address->lookup || strcmp(own_address->looked_up, host) == 0)
		return;
	lookup_end(own_address->lookup);
	own_address->lookup = NULL;
}

static int64_t look_up_next(struct relay_ctx *cx)
{
	struct own_address *own_address = &data_of(cx)->own_address;
	const struct ext_address *ext = looking_for(own_address);

	if (!ext)
		return next_look(cx);
	own_address->lookup_ms = relay_now_ms(cx);
	ext_address_bare_host(ext, own_address->looked_up);
	own_address->lookup =
		lookup_begin(own_address->looked_up, NULL, SOCK_STREAM);
	return own_address->lookup ? LOOKUP_POLL_MS : next_look(cx);
}

static int64_t refresh(struct relay_ctx *cx, void *arg)
{
	struct own_address *own_address = &data_of(cx)->own_address;

	(void)arg;
	if (own_address->told && own_address->moved)
		notify(cx);
	drop_old(own_address);
	if (own_address->lookup) {
		if (is_looking(cx))
			return LOOKUP_POLL_MS;
		take_result(cx);
	} else {
		own_address->looking = 0;
		own_address->lookup_failed = false;
	}
	return look_up_next(cx);
}

int own_address_start(struct relay_ctx *cx)
{
	struct own_address *own_address = &data_of(cx)->own_address;

	own_address->timer = relay_timer_add(cx, next_look(cx), refresh, NULL);
	return own_address->timer ? 0 : -1;
}

/* Until it is resolved, a name keeps the addresses that it had. */
static void keep_known(const struct advertise *base, struct ext_address *next)
{
	for (unsigned i = 0; next->is_name && i < base->count; i++) {
		const struct ext_address *old = &base->entries[i];

		if (old->is_name && old->port == next->port &&
			strcmp(old->host, next->host) == 0) {
			next->v4 = old->v4;
			next->v6 = old->v6;
		}
	}
}

int own_address_prepare(struct relay_ctx *cx, const struct relay_conf *conf,
	struct relay_err *err)
{
	struct own_address *own_address = &data_of(cx)->own_address;
	struct advertise *next = &own_address->next_base;

	if (advertise_init(next, conf->ext_address, err) != 0)
		return -1;
	for (unsigned i = 0; i < next->count; i++)
		keep_known(&own_address->base, &next->entries[i]);
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

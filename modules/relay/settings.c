/* SPDX-License-Identifier: MPL-2.0 */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "relay/address/advertise.h"
#include "relay/address/private_address.h"
#include "relay/devices/token_credential.h"
#include "relay/settings.h"
#include "shared/exempt.h"

int settings_files_read(const void *values, void **files, struct relay_err *err)
{
	const struct relay_conf *conf = values;
	struct join_token *secret;
	char credential[PATH_MAX];

	if (token_credential_find(credential, sizeof(credential), err) != 0)
		return -1;
	secret = malloc(sizeof(*secret));
	if (!secret)
		return relay_fail(err, "out of memory");
	*files = secret;
	if (join_token_load(secret, conf->token, conf->token_file, credential,
		    err) == 0)
		return 0;
	free(secret);
	return -1;
}

int settings_check(const void *values, struct relay_err *err)
{
	const struct relay_conf *conf = values;

	if (advertise_check(conf->ext_address, err) != 0)
		return -1;
	return conf->ext_status[0]
		       ? ext_address_check("ext-status", conf->ext_status, err)
		       : 0;
}

/* A timer removes expired sessions, because without traffic no event does. */
static int64_t expire(struct relay_ctx *cx, void *arg)
{
	int64_t now = relay_now_ms(cx), next;
	unsigned count = pending_expire(&data_of(cx)->pending, now, &next);

	(void)arg;
	relay_metric_inc(
		cx, data_of(cx)->metrics[METRIC_PENDING_EXPIRED], 0, count);
	/* Sessions added later do not expire before this. */
	if (next > now + conf_of(cx)->message_timeout_ms)
		return conf_of(cx)->message_timeout_ms;
	return next > now ? next - now : 1;
}

void settings_log_token_change(struct relay_ctx *cx,
	const struct join_token *was, const struct join_token *is)
{
	if (join_token_same(was, is))
		return;
	relay_log(cx, RELAY_NOTICE, "%s",
		!is->set    ? "devices no longer need a token"
		: !was->set ? "devices need a token now"
			    : "devices need a different token now");
}

static bool same_timeouts(
	const struct relay_conf *a, const struct relay_conf *b)
{
	return a->network_timeout_ms == b->network_timeout_ms &&
	       a->ping_interval_ms == b->ping_interval_ms &&
	       a->message_timeout_ms == b->message_timeout_ms;
}

int settings_prepare(struct relay_ctx *cx, const struct relay_conf *conf,
	struct relay_err *err)
{
	struct relay_next *next = &data_of(cx)->next;

	next->new_timeouts = !same_timeouts(conf, conf_of(cx));
	next->secret = *(const struct join_token *)relay_files(cx, conf);
	if (exempt_read(cx, &next->exempt, err) != 0)
		return -1;
	next->expiry = relay_timer_add(cx, 1, expire, NULL);
	if (next->expiry)
		return 0;
	ranges_free(&next->exempt);
	return relay_fail(err, "out of memory");
}

static bool serves_no_status(struct relay_ctx *cx)
{
	struct relay_value value;

	return relay_option_get(cx, NULL, "status-srv", &value) == 0 &&
	       !value.string[0];
}

/* What the listeners have in common. */
struct overview {
	bool any;          /* none: the configuration has errors */
	bool for_all;      /* one is told to clients */
	bool some_private; /* one is private */
	bool some_proxied; /* one is for proxies */
};

static bool is_own(const struct relay_listener *listener)
{
	return !listener->protocol[0] ||
	       strcmp(listener->protocol, "relay") == 0;
}

static void look_at(const struct relay_listener *listener, void *arg)
{
	struct overview *overview = arg;

	overview->any = true;
	if (!is_own(listener))
		return;
	overview->for_all |= !listener->for_proxies && !listener->protocol[0];
	overview->some_private |= listener->is_private;
	overview->some_proxied |= listener->for_proxies;
}

static void advise_on_listeners(
	struct relay_ctx *cx, const struct relay_conf *conf)
{
	const struct join_token *secret = relay_files(cx, conf);
	struct overview has = {.for_all = false};

	relay_listeners_visit(cx, look_at, &has);
	if (has.any && !conf->ext_address[0] && !has.for_all)
		relay_log(cx, RELAY_WARNING,
			"each listener is for proxies or names a protocol, and "
			"ext-address is empty: the URI names an address that "
			"clients cannot use or are not to be told");
	if (has.some_private && secret && !secret->set)
		relay_log(cx, RELAY_WARNING,
			"a listener is private, but there is no token: nobody "
			"can join there");
	if (!has.some_private && secret && secret->set &&
		conf->token_at == TOKEN_PRIVATE)
		relay_log(cx, RELAY_WARNING,
			"token-at is private, but no listener is: nobody needs "
			"the token");
}

/* The families with which clients can connect, as far as it can be known. */
struct families {
	bool v4, v6;
};

/* [::] alone serves both.  The clients of a proxy, and a name, may have any. */
static void look_at_family(const struct relay_listener *listener, void *arg)
{
	struct families *has = arg;
	const char *text = listener->address;
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool wide = len == 0 || strncmp(text, "[::]:", 5) == 0 ||
		    listener->for_proxies;
	bool v4 = strspn(text, "0123456789.") == len;
	bool mapped = text[0] == '[' && memchr(text, '.', len);

	if (!is_own(listener))
		return;
	has->v4 |= wide || v4 || mapped || text[0] != '[';
	has->v6 |= wide || (!v4 && !mapped);
}

static void restrict_families(struct relay_ctx *cx, struct families *has)
{
	struct relay_value value;

	if (relay_option_get(cx, NULL, "protocol", &value) != 0)
		return;
	has->v4 &= strcmp(value.string, "tcp6") != 0;
	has->v6 &= strcmp(value.string, "tcp4") != 0;
}

static void warn_of_family(const struct relay_ctx *cx,
	const struct told_address *address, bool has, const char *family)
{
	if (address->known && !address->unspecified && !has)
		relay_log(cx, RELAY_WARNING,
			"ext-address names an address of %s, but no listener "
			"has one: who connects there reaches the relay only "
			"if something between them changes the family",
			family);
}

static void advise_on_families(
	struct relay_ctx *cx, const struct relay_conf *conf)
{
	struct families has = {.v4 = false};
	struct overview overview = {.any = false};
	struct advertise advertise;

	relay_listeners_visit(cx, look_at, &overview);
	relay_listeners_visit(cx, look_at_family, &has);
	if (!overview.some_proxied)
		restrict_families(cx, &has);
	if (!overview.any ||
		advertise_init(&advertise, conf->ext_address, NULL) != 0)
		return;
	for (unsigned i = 0; i < advertise.count; i++) {
		const struct ext_address *one = &advertise.entries[i];

		if (one->is_name)
			continue;
		warn_of_family(cx, &one->v4, has.v4, "IPv4");
		warn_of_family(cx, &one->v6, has.v6, "IPv6");
	}
}

void settings_advise(struct relay_ctx *cx, const void *values)
{
	const struct relay_conf *conf = values;

	advise_on_listeners(cx, conf);
	advise_on_families(cx, conf);
	if (conf->ext_status[0] && serves_no_status(cx))
		relay_log(cx, RELAY_WARNING,
			"ext-status is told to pools and clients, but "
			"status-srv is empty, so nothing serves it");
	if (conf->ping_interval_ms >= conf->network_timeout_ms)
		relay_log(cx, RELAY_WARNING,
			"ping-interval is not below network-timeout: devices "
			"will be disconnected before they are pinged");
}

/* Whether an entry leaves the address to the client. */
static bool leaves_host(const char *const *ext_address)
{
	struct advertise advertise;

	if (advertise_init(&advertise, ext_address, NULL) != 0)
		return false;
	for (unsigned i = 0; i < advertise.count; i++)
		if (!advertise.entries[i].is_name &&
			(advertise.entries[i].v4.unspecified ||
				advertise.entries[i].v6.unspecified))
			return true;
	return false;
}

struct coverage {
	const struct advertise *advertise;
	bool left; /* a listener for which there is no entry with IPv4 */
};

/* Clients of a proxy came in at its port, which is not known here. */
static void look_for_entry(const struct relay_listener *listener, void *arg)
{
	struct coverage *coverage = arg;
	const struct advertise *all = coverage->advertise;
	const char *port = strrchr(listener->address, ':');
	const struct ext_address *entry;

	if (!port || listener->for_proxies || !is_own(listener))
		return;
	for (entry = all->entries; entry < all->entries + all->count; entry++)
		if ((entry->is_name || entry->v4.known) &&
			(!entry->at.known ||
				entry->at.port == strtoul(port + 1, NULL, 10)))
			return;
	coverage->left = true;
}

/* Whether clients with IPv4 at some listener are told no entry. */
static bool leaves_listener(
	struct relay_ctx *cx, const char *const *ext_address)
{
	struct advertise advertise;
	struct coverage coverage = {.advertise = &advertise};

	if (advertise_init(&advertise, ext_address, NULL) == 0)
		relay_listeners_visit(cx, look_for_entry, &coverage);
	return coverage.left;
}

static void tell_names(struct relay_ctx *cx, const char *const *ext_address)
{
	struct advertise advertise;

	if (advertise_init(&advertise, ext_address, NULL) != 0)
		return;
	for (unsigned i = 0; i < advertise.count; i++)
		if (advertise.entries[i].is_name)
			relay_log(cx, RELAY_NOTICE,
				"ext-address names the host %s, which was not "
				"looked up: a start fails if there is no such "
				"name",
				advertise.entries[i].host);
}

void settings_advise_check(struct relay_ctx *cx, const void *values)
{
	const struct relay_conf *conf = values;
	char address[PRIVATE_ADDRESS_TEXT];
	bool left;

	settings_advise(cx, values);
	tell_names(cx, conf->ext_address);
	left = !conf->ext_address[0] || leaves_host(conf->ext_address);
	if ((left || leaves_listener(cx, conf->ext_address)) &&
		private_address_find(address))
		relay_log(cx, RELAY_NOTICE,
			"this machine has the private address %s: clients that "
			"use an HTTP or SOCKS proxy cannot follow invitations "
			"unless ext-address, or a port that nat maps, names "
			"the address at which they reach the relay",
			address);
	else if (left && conf->ext_address[0])
		relay_log(cx, RELAY_NOTICE,
			"ext-address has an entry without a host: of the "
			"clients that use an HTTP or SOCKS proxy, only those "
			"can follow invitations that connect to that port of a "
			"public address of this machine");
}

void settings_commit(struct relay_ctx *cx)
{
	struct relay_data *data = data_of(cx);
	const struct relay_conf *conf = conf_of(cx);
	const struct pending_bounds bounds = {.all = conf->pending_sessions,
		.of_device = conf->pending_per_device,
		.of_source = conf->pending_per_source,
		.of_asker = conf->invitations_per_asker,
		.in_queue = conf->invitations_per_device};
	struct ranges old;

	pending_bound(&data->pending, &bounds);
	pthread_mutex_lock(&data->lock);
	data->secret = data->next.secret;
	old = data->exempt;
	data->exempt = data->next.exempt;
	pthread_mutex_unlock(&data->lock);
	ranges_free(&old);
	relay_timer_del(data->expiry);
	data->expiry = data->next.expiry;
	data->next = (struct relay_next){.expiry = NULL};
	settings_advise(cx, conf);
}

void settings_abandon(struct relay_ctx *cx)
{
	ranges_free(&data_of(cx)->next.exempt);
	data_of(cx)->next.expiry = NULL; /* the server removes it */
}

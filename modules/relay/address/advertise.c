/* SPDX-License-Identifier: MPL-2.0 */

/* What is known of the relay's addresses besides where a client came in. */

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include <strelaysrv/server.h>

#include "relay/address/advertise.h"
#include "shared/own_listener.h"

int advertise_init(struct advertise *advertise, const char *const *ext_address,
	struct relay_err *err)
{
	memset(advertise, 0, sizeof(*advertise));
	for (; *ext_address; ext_address++, advertise->count++)
		if (ext_address_read(&advertise->entries[advertise->count],
			    "ext-address", *ext_address, err) != 0)
			return -1;
	return 0;
}

int advertise_check(const char *const *ext_address, struct relay_err *err)
{
	for (; *ext_address; ext_address++)
		if (ext_address_check("ext-address", *ext_address, err) != 0)
			return -1;
	return 0;
}

static bool same_mapped(
	const struct advertise_mapped *a, const struct advertise_mapped *b)
{
	return a->inner == b->inner && told_address_same(&a->outer, &b->outer);
}

bool advertise_equal(const struct advertise *a, const struct advertise *b)
{
	if (a->count != b->count || !same_mapped(&a->v4, &b->v4) ||
		!same_mapped(&a->v6, &b->v6))
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (!told_address_same(&a->entries[i].at, &b->entries[i].at) ||
			!told_address_same(
				&a->entries[i].v4, &b->entries[i].v4) ||
			!told_address_same(
				&a->entries[i].v6, &b->entries[i].v6))
			return false;
	return true;
}

static void write_host(
	const struct told_address *address, bool v6, char out[INET6_ADDRSTRLEN])
{
	out[0] = '\0';
	if (!address->unspecified)
		(void)inet_ntop(v6 ? AF_INET6 : AF_INET,
			address->bytes + (v6 ? 0 : 12), out, INET6_ADDRSTRLEN);
}

void advertise_format(
	const struct told_address *address, bool v6, char out[ADVERTISE_TEXT])
{
	char text[INET6_ADDRSTRLEN];

	write_host(address, v6, text);
	(void)snprintf(out, ADVERTISE_TEXT, v6 && text[0] ? "[%s]:%u" : "%s:%u",
		text, (unsigned)address->port);
}

/* Without a host, the pool and clients use the address that they connect to. */
static bool names_nobody(const char *host)
{
	return !host[0] || strcmp(host, "0.0.0.0") == 0 ||
	       strcmp(host, "::") == 0 || strcmp(host, "[::]") == 0;
}

/* The first address that means something on other machines, as configured. */
static void name_listener(struct told_address *out, char host[EXT_ADDRESS_HOST])
{
	struct sockaddr_storage address;
	int at = own_listener_find(AF_UNSPEC, &address);
	const char *text = relay_listen_text(), *colon = strrchr(text, ':');

	host[0] = '\0';
	*out = (struct told_address){.known = false};
	if (at < 0 && relay_listen_address(0, &address) != 0)
		return;
	told_address_set(out, &address);
	if (at == 0 && colon)
		(void)snprintf(host, EXT_ADDRESS_HOST, "%.*s",
			(int)(colon - text), text);
	else if (at > 0)
		write_host(out, address.ss_family == AF_INET6, host);
}

static bool is_for(const struct ext_address *ext, const struct told_address *at)
{
	if (!ext->at.known)
		return true;
	return ext->at.port == at->port &&
	       (ext->at.unspecified || at->unspecified ||
		       memcmp(ext->at.bytes, at->bytes, 16) == 0);
}

static void replace(const struct advertise_mapped *mapped, bool v6,
	char host[EXT_ADDRESS_HOST], uint16_t *port)
{
	/* Most clients use IPv4, so an IPv6 address is only the fallback. */
	if (!mapped->outer.known || (v6 && !names_nobody(host)))
		return;
	*port = mapped->outer.port;
	if (!mapped->outer.unspecified)
		write_host(&mapped->outer, v6, host);
}

void advertise_uri(const struct advertise *advertise,
	char host[EXT_ADDRESS_HOST], uint16_t *port)
{
	struct told_address listener;

	name_listener(&listener, host);
	*port = listener.port;
	for (unsigned i = 0; i < advertise->count; i++)
		if (is_for(&advertise->entries[i], &listener)) {
			memcpy(host, advertise->entries[i].host,
				EXT_ADDRESS_HOST);
			*port = advertise->entries[i].port;
			break;
		}
	replace(&advertise->v6, true, host, port);
	replace(&advertise->v4, false, host, port);
}

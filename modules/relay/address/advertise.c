/* SPDX-License-Identifier: MPL-2.0 */

/* The relay's address that clients are told. */

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/server.h>

#include "relay/address/advertise.h"
#include "relay/address/uri.h"

static const uint8_t zeroes[16];

static void set(struct advertise_address *address, const void *bytes,
	size_t len, uint16_t port)
{
	address->known = true;
	address->port = port;
	address->unspecified = memcmp(bytes, zeroes, len) == 0;
	memset(address->bytes, 0, sizeof(address->bytes));
	if (len == 4)
		address->bytes[10] = address->bytes[11] = 0xff;
	memcpy(address->bytes + 16 - len, bytes, len);
}

/* The first of each family counts. */
static void add(
	struct advertise *advertise, const void *sockaddr, uint16_t port)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	sa_family_t family;

	memcpy(&family, sockaddr, sizeof(family));
	if (family == AF_INET && !advertise->v4.known) {
		memcpy(&v4, sockaddr, sizeof(v4));
		set(&advertise->v4, &v4.sin_addr, 4, port);
	} else if (family == AF_INET6 && !advertise->v6.known) {
		memcpy(&v6, sockaddr, sizeof(v6));
		set(&advertise->v6, &v6.sin6_addr, 16, port);
	}
}

static uint16_t port_of(const struct sockaddr_storage *addr)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (addr->ss_family == AF_INET) {
		memcpy(&v4, addr, sizeof(v4));
		return ntohs(v4.sin_port);
	}
	memcpy(&v6, addr, sizeof(v6));
	return ntohs(v6.sin6_port);
}

static void from_listen(struct advertise *advertise)
{
	struct sockaddr_storage addr;
	const char *text = relay_listen_text();
	const char *colon = strrchr(text, ':');

	for (unsigned i = 0; relay_listen_address(i, &addr) == 0; i++) {
		if (i == 0)
			advertise->port = port_of(&addr);
		add(advertise, &addr, port_of(&addr));
	}
	if (colon)
		snprintf(advertise->host, sizeof(advertise->host), "%.*s",
			(int)(colon - text), text);
}

static int parse_port(const char *text, uint16_t *port)
{
	unsigned long number;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	number = strtoul(text, &end, 10);
	if (*end || number == 0 || number > 65535)
		return -1;
	*port = (uint16_t)number;
	return 0;
}

void advertise_bare_host(const struct advertise *advertise, char host[256])
{
	size_t len = strlen(advertise->host);

	memcpy(host, advertise->host, len + 1);
	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
	}
}

/* Each family's first address counts. */
static void take_all(struct advertise *advertise, const struct addrinfo *list)
{
	advertise->v4.known = advertise->v6.known = false;
	for (; list; list = list->ai_next)
		add(advertise, list->ai_addr, advertise->port);
}

/* 0, or the error of getaddrinfo(). */
static int look_up(struct advertise *advertise, int flags)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
	struct addrinfo *list;
	char host[sizeof(advertise->host)];
	int error;

	advertise_bare_host(advertise, host);
	error = getaddrinfo(host, NULL, &hints, &list);
	if (error)
		return error;
	take_all(advertise, list);
	freeaddrinfo(list);
	return 0;
}

static bool same(
	const struct advertise_address *a, const struct advertise_address *b)
{
	return a->known == b->known && a->unspecified == b->unspecified &&
	       a->port == b->port &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool advertise_equal(const struct advertise *a, const struct advertise *b)
{
	return same(&a->v4, &b->v4) && same(&a->v6, &b->v6);
}

static bool is_listed(
	const struct advertise_address *address, const struct addrinfo *list)
{
	for (; list; list = list->ai_next) {
		struct advertise one = {.port = 0};

		add(&one, list->ai_addr, address->port);
		if (same(one.v4.known ? &one.v4 : &one.v6, address))
			return true;
	}
	return false;
}

bool advertise_update(struct advertise *advertise, const struct addrinfo *list)
{
	struct advertise before = *advertise;

	take_all(advertise, list);
	if (is_listed(&before.v4, list))
		advertise->v4 = before.v4;
	if (is_listed(&before.v6, list))
		advertise->v6 = before.v6;
	return !advertise_equal(advertise, &before);
}

void advertise_address(
	struct advertise_address *out, const struct sockaddr_storage *address)
{
	struct advertise one = {.port = 0};

	add(&one, address, port_of(address));
	*out = one.v4.known ? one.v4 : one.v6;
}

/* Without a host, the pool and clients use the address that they connect to. */
static bool names_nobody(const char *host)
{
	return !host[0] || strcmp(host, "0.0.0.0") == 0 ||
	       strcmp(host, "::") == 0 || strcmp(host, "[::]") == 0;
}

void advertise_format(const struct advertise_address *address, bool v6,
	char out[ADVERTISE_TEXT])
{
	char text[INET6_ADDRSTRLEN] = "";

	if (!address->unspecified)
		(void)inet_ntop(v6 ? AF_INET6 : AF_INET,
			address->bytes + (v6 ? 0 : 12), text, sizeof(text));
	(void)snprintf(out, ADVERTISE_TEXT, v6 && text[0] ? "[%s]:%u" : "%s:%u",
		text, (unsigned)address->port);
}

void advertise_replace(struct advertise *advertise, bool v6,
	const struct advertise_address *by)
{
	char text[INET6_ADDRSTRLEN] = "";

	*(v6 ? &advertise->v6 : &advertise->v4) = *by;
	/* Most clients use IPv4, so an IPv6 address is only the fallback. */
	if (v6 && !names_nobody(advertise->host))
		return;
	advertise->port = by->port;
	if (by->unspecified)
		return;
	if (v6)
		(void)inet_ntop(AF_INET6, by->bytes, text, sizeof(text));
	else
		(void)inet_ntop(AF_INET, by->bytes + 12, text, sizeof(text));
	memcpy(advertise->host, text, sizeof(text));
}

static int split(struct advertise *advertise, const char *option,
	const char *text, struct relay_err *err)
{
	const char *colon = strrchr(text, ':');
	const char *close = strrchr(text, ']');
	size_t len = colon ? (size_t)(colon - text) : 0;

	if (!colon || (close && close > colon) ||
		(!close && memchr(text, ':', len)) ||
		len >= sizeof(advertise->host) ||
		parse_port(colon + 1, &advertise->port) != 0)
		return relay_fail(err,
			"%s is \"%s\"; write HOST:PORT, :PORT or "
			"[IPV6]:PORT, with a port from 1 to 65535",
			option, text);
	memcpy(advertise->host, text, len);
	return 0;
}

int advertise_check(const char *option, const char *text, struct relay_err *err)
{
	struct advertise advertise = {.port = 0};
	struct relay_err why;

	if (!text[0])
		return 0;
	if (split(&advertise, option, text, err) != 0)
		return -1;
	if (uri_check_host(advertise.host, &why) == 0)
		return 0;
	return relay_fail(err, "%s: %.200s", option, why.text);
}

int advertise_init(struct advertise *advertise, const char *ext_address,
	struct relay_err *err)
{
	int error;

	memset(advertise, 0, sizeof(*advertise));
	if (!ext_address[0]) {
		from_listen(advertise);
		return 0;
	}
	if (split(advertise, "ext-address", ext_address, err) != 0)
		return -1;
	error = advertise->host[0] ? look_up(advertise, AI_NUMERICHOST)
				   : EAI_NONAME;
	if (error == 0)
		return 0;
	if (error == EAI_MEMORY)
		return relay_fail(err, "out of memory");
	advertise->is_name = advertise->host[0] != '\0';
	set(&advertise->v4, zeroes, 4, advertise->port);
	set(&advertise->v6, zeroes, 16, advertise->port);
	return 0;
}

void advertise_to(const struct advertise *advertise, bool v6,
	uint8_t address[16], size_t *len, uint16_t *port)
{
	const struct advertise_address *fit =
		v6 ? &advertise->v6 : &advertise->v4;

	/* [::] also serves IPv4, and any address is better than none. */
	if (!fit->known)
		fit = v6 ? &advertise->v4 : &advertise->v6;
	*port = fit->port;
	*len = fit->unspecified || !fit->known ? 0 : 16;
	memcpy(address, fit->bytes, 16);
}

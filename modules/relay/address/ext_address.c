/* SPDX-License-Identifier: MPL-2.0 */

/* One entry of the list ext-address. */

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "relay/address/ext_address.h"
#include "relay/address/uri.h"

static const uint8_t zeroes[16];

static void set(struct told_address *address, const void *bytes, size_t len,
	uint16_t port)
{
	address->known = true;
	address->port = port;
	address->unspecified = memcmp(bytes, zeroes, len) == 0;
	memset(address->bytes, 0, sizeof(address->bytes));
	if (len == 4)
		address->bytes[10] = address->bytes[11] = 0xff;
	memcpy(address->bytes + 16 - len, bytes, len);
}

/* False: of no known family. */
static bool set_from(
	struct told_address *out, const void *sockaddr, const uint16_t *port)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	sa_family_t family;

	memcpy(&family, sockaddr, sizeof(family));
	if (family == AF_INET) {
		memcpy(&v4, sockaddr, sizeof(v4));
		set(out, &v4.sin_addr, 4, port ? *port : ntohs(v4.sin_port));
	} else if (family == AF_INET6) {
		memcpy(&v6, sockaddr, sizeof(v6));
		set(out, &v6.sin6_addr, 16, port ? *port : ntohs(v6.sin6_port));
	}
	return family == AF_INET || family == AF_INET6;
}

void told_address_set(
	struct told_address *out, const struct sockaddr_storage *address)
{
	*out = (struct told_address){.known = false};
	(void)set_from(out, address, NULL);
}

bool told_address_is_v6(const struct told_address *address)
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(address->bytes, v4, sizeof(v4)) != 0;
}

bool told_address_same(
	const struct told_address *a, const struct told_address *b)
{
	return a->known == b->known && a->unspecified == b->unspecified &&
	       a->port == b->port &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void ext_address_bare_host(
	const struct ext_address *ext, char host[EXT_ADDRESS_HOST])
{
	size_t len = strlen(ext->host);

	memcpy(host, ext->host, len + 1);
	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
	}
}

/* Each family's first address counts. */
static void take_all(struct ext_address *ext, const struct addrinfo *list)
{
	ext->v4.known = ext->v6.known = false;
	for (; list; list = list->ai_next) {
		struct told_address one = {.known = false}, *own;

		(void)set_from(&one, list->ai_addr, &ext->port);
		own = told_address_is_v6(&one) ? &ext->v6 : &ext->v4;
		if (!own->known)
			*own = one;
	}
}

static bool is_listed(
	const struct told_address *address, const struct addrinfo *list)
{
	for (; list; list = list->ai_next) {
		struct told_address one = {.known = false};

		if (set_from(&one, list->ai_addr, &address->port) &&
			told_address_same(&one, address))
			return true;
	}
	return false;
}

bool ext_address_update(struct ext_address *ext, const struct addrinfo *list)
{
	struct told_address v4 = ext->v4, v6 = ext->v6;

	take_all(ext, list);
	if (is_listed(&v4, list))
		ext->v4 = v4;
	if (is_listed(&v6, list))
		ext->v6 = v6;
	return !told_address_same(&ext->v4, &v4) ||
	       !told_address_same(&ext->v6, &v6);
}

static int parse_port(const char *text, size_t len, uint16_t *port)
{
	unsigned long number = 0;

	if (len == 0 || len > 5)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (unsigned long)(text[i] - '0');
	}
	if (number == 0 || number > 65535)
		return -1;
	*port = (uint16_t)number;
	return 0;
}

/* Splits HOST:PORT of `len` bytes; the host keeps its brackets.  0 or -1. */
static int split(const char *text, size_t len, char host[EXT_ADDRESS_HOST],
	uint16_t *port)
{
	const char *colon = memrchr(text, ':', len);
	const char *close = memrchr(text, ']', len);
	size_t before = colon ? (size_t)(colon - text) : 0;

	if (!colon || (close && close > colon) ||
		(!close && memchr(text, ':', before)) ||
		before >= EXT_ADDRESS_HOST ||
		parse_port(colon + 1, len - before - 1, port) != 0)
		return -1;
	memcpy(host, text, before);
	host[before] = '\0';
	return 0;
}

/* 0, or the error of getaddrinfo(); resolves no names. */
static int read_numbers(struct ext_address *ext)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *list;
	char host[EXT_ADDRESS_HOST];
	int error;

	if (!ext->host[0])
		return EAI_NONAME;
	ext_address_bare_host(ext, host);
	error = getaddrinfo(host, NULL, &hints, &list);
	if (error)
		return error;
	take_all(ext, list);
	freeaddrinfo(list);
	return 0;
}

/* The part before the =, an IP address or none with a port.  0 or -1. */
static int read_at(struct told_address *at, const char *text, size_t len)
{
	struct ext_address place = {.port = 0};
	int error;

	if (split(text, len, place.host, &place.port) != 0)
		return -1;
	error = read_numbers(&place);
	if (!place.host[0])
		set(at, zeroes, 16, place.port);
	else if (error == 0)
		*at = place.v4.known ? place.v4 : place.v6;
	return error == 0 || !place.host[0] ? 0 : -1;
}

static int fail_form(const char *option, bool has_at, const char *text,
	struct relay_err *err)
{
	return relay_fail(err,
		"%s is \"%.100s\"; write HOST:PORT, :PORT or "
		"[IPV6]:PORT, with a port from 1 to 65535%s",
		option, text,
		has_at ? ", before the = an IP address or none" : "");
}

int ext_address_read(struct ext_address *out, const char *option,
	const char *text, struct relay_err *err)
{
	const char *equals =
		strcmp(option, "ext-address") == 0 ? strchr(text, '=') : NULL;
	const char *told = equals ? equals + 1 : text;
	int error;

	*out = (struct ext_address){.port = 0};
	if (equals && read_at(&out->at, text, (size_t)(equals - text)) != 0)
		return fail_form(option, true, text, err);
	if (split(told, strlen(told), out->host, &out->port) != 0)
		return fail_form(option, equals != NULL, text, err);
	error = read_numbers(out);
	if (error == 0)
		return 0;
	if (error == EAI_MEMORY)
		return relay_fail(err, "out of memory");
	out->is_name = out->host[0] != '\0';
	set(&out->v4, zeroes, 4, out->port);
	set(&out->v6, zeroes, 16, out->port);
	return 0;
}

int ext_address_check(
	const char *option, const char *text, struct relay_err *err)
{
	struct ext_address ext;
	struct relay_err why;

	if (ext_address_read(&ext, option, text, err) != 0)
		return -1;
	if (uri_check_host(ext.host, &why) == 0)
		return 0;
	return relay_fail(err, "%s: %.200s", option, why.text);
}

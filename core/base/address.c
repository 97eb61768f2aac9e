/* SPDX-License-Identifier: MPL-2.0 */

/* Addresses as Go writes them. */

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"

/* May quote the text: addresses come from the operator, not from peers. */
static int fail_form(struct relay_err *err, const char *text, const char *why)
{
	return relay_fail(err,
		"\"%.80s\" is no address: %s; write HOST:PORT, :PORT or "
		"[IPV6]:PORT",
		text, why);
}

static int copy_part(char *out, size_t cap, const char *from, size_t len)
{
	if (len >= cap)
		return -1;
	memcpy(out, from, len);
	out[len] = '\0';
	return 0;
}

/* Finds the host, and returns the colon after it; NULL with *why. */
static const char *find_host(
	const char *text, const char **host, size_t *len, const char **why)
{
	const char *colon = strrchr(text, ':'), *end;

	if (!colon) {
		*why = "it has no port";
		return NULL;
	}
	*host = text;
	*len = (size_t)(colon - text);
	if (text[0] != '[') {
		*why = "an IPv6 address needs brackets";
		return memchr(text, ':', *len) ? NULL : colon;
	}
	end = strchr(text, ']');
	if (!end) {
		*why = "its ] is missing";
		return NULL;
	}
	*why = "after ] must come the port";
	*host = text + 1;
	*len = (size_t)(end - text) - 1;
	return end[1] == ':' && end + 1 == colon ? colon : NULL;
}

int address_split(const char *text, struct address *out, struct relay_err *err)
{
	const char *host = NULL, *why = NULL, *colon;
	size_t len = 0;

	colon = find_host(text, &host, &len, &why);
	if (!colon)
		return fail_form(err, text, why);
	if (memchr(host, '[', len) || memchr(host, ']', len) ||
		strpbrk(colon, "[]"))
		return fail_form(err, text, "a bracket is out of place");
	if (!colon[1])
		return fail_form(err, text, "its port is empty");
	if (copy_part(out->host, sizeof(out->host), host, len) ||
		copy_part(out->port, sizeof(out->port), colon + 1,
			strlen(colon + 1)))
		return fail_form(err, text, "it is too long");
	return 0;
}

void address_join(const char *host, unsigned port, char *out, size_t cap)
{
	(void)snprintf(
		out, cap, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static int resolve_port(
	const char *text, in_port_t *port, struct relay_err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	unsigned n = 0;

	if (!is_number(text)) {
		hints.ai_family = AF_INET;
		if (getaddrinfo(NULL, text, &hints, &found))
			return relay_fail(err,
				"\"%s\" is no port: write 0 to 65535, or a "
				"name of /etc/services",
				text);
		*port = ((const struct sockaddr_in *)(const void *)
				 found->ai_addr)
				->sin_port;
		freeaddrinfo(found);
		return 0;
	}
	for (; *text && n <= UINT16_MAX; text++)
		n = n * 10 + (unsigned)(*text - '0');
	if (n > UINT16_MAX)
		return relay_fail(err, "a port is a number from 0 to 65535");
	*port = htons((uint16_t)n);
	return 0;
}

static int family_of(int64_t protocol)
{
	switch (protocol) {
	case CORE_TCP4:
		return AF_INET;
	case CORE_TCP6:
		return AF_INET6;
	default:
		return AF_UNSPEC;
	}
}

static const struct addrinfo *choose(const struct addrinfo *all)
{
	const struct addrinfo *a = all;

	while (a && a->ai_family != AF_INET)
		a = a->ai_next;
	return a ? a : all;
}

static int resolve_host(const char *host, int family,
	struct sockaddr_storage *out, socklen_t *len, struct relay_err *err)
{
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *all;
	const struct addrinfo *one;
	int code = getaddrinfo(host, NULL, &hints, &all);

	if (code == EAI_NONAME || code == EAI_ADDRFAMILY || code == EAI_NODATA)
		return relay_fail(err, "\"%.100s\" has no%s address", host,
			family == AF_INET    ? " IPv4"
			: family == AF_INET6 ? " IPv6"
					     : "");
	if (code)
		return relay_fail(err, "cannot look up \"%.100s\": %s", host,
			gai_strerror(code));
	one = choose(all);
	memcpy(out, one->ai_addr, one->ai_addrlen);
	*len = one->ai_addrlen;
	freeaddrinfo(all);
	return 0;
}

bool address_has_name(const char *text)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST,
	};
	struct addrinfo *found;
	struct address parts;

	if (address_split(text, &parts, NULL) != 0 || !parts.host[0])
		return false;
	if (getaddrinfo(parts.host, NULL, &hints, &found) != 0)
		return true;
	freeaddrinfo(found);
	return false;
}

static void any_host(int family, struct sockaddr_storage *out, socklen_t *len)
{
	/* In both families the unspecified address is all zero, as *out is. */
	out->ss_family = family == AF_INET ? AF_INET : AF_INET6;
	*len = family == AF_INET ? sizeof(struct sockaddr_in)
				 : sizeof(struct sockaddr_in6);
}

int address_resolve(const char *text, int64_t protocol,
	struct sockaddr_storage *out, socklen_t *len, struct relay_err *err)
{
	int family = family_of(protocol);
	struct address parts;
	in_port_t port = 0;

	memset(out, 0, sizeof(*out));
	if (address_split(text, &parts, err) ||
		resolve_port(parts.port, &port, err))
		return -1;
	if (!parts.host[0])
		any_host(family, out, len);
	else if (resolve_host(parts.host, family, out, len, err))
		return -1;
	if (out->ss_family == AF_INET)
		((struct sockaddr_in *)out)->sin_port = port;
	else
		((struct sockaddr_in6 *)out)->sin6_port = port;
	return 0;
}

unsigned address_port(const struct sockaddr_storage *address)
{
	switch (address->ss_family) {
	case AF_INET:
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	case AF_INET6:
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	default:
		return 0;
	}
}

void address_unmap(struct sockaddr_storage *address)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4 = {.sin_family = AF_INET};

	if (address->ss_family != AF_INET6)
		return;
	memcpy(&v6, address, sizeof(v6));
	if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
		return;
	v4.sin_port = v6.sin6_port;
	memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, sizeof(v4.sin_addr));
	memset(address, 0, sizeof(*address));
	memcpy(address, &v4, sizeof(v4));
}

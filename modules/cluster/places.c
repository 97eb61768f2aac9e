/* SPDX-License-Identifier: MPL-2.0 */

/* Addresses in messages, and as the rest of the server has them. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/places.h"

static void set(struct message_place *out, const void *bytes, uint8_t len,
	in_port_t port)
{
	memcpy(out->address, bytes, len);
	out->len = len;
	out->port = ntohs(port);
}

void place_of_address(
	const struct sockaddr_storage *in, struct message_place *out)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)in;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)in;

	memset(out, 0, sizeof(*out));
	if (in->ss_family == AF_INET)
		set(out, &v4->sin_addr, 4, v4->sin_port);
	else if (in->ss_family == AF_INET6 &&
		 IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		set(out, v6->sin6_addr.s6_addr + 12, 4, v6->sin6_port);
	else if (in->ss_family == AF_INET6)
		set(out, &v6->sin6_addr, 16, v6->sin6_port);
}

void place_to_address(
	const struct message_place *in, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (in->len == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(in->port);
		memcpy(&v4->sin_addr, in->address, 4);
	} else if (in->len == 16) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(in->port);
		memcpy(&v6->sin6_addr, in->address, 16);
	}
}

/* Splits "HOST:PORT" into `host` and the port.  -1: it is none. */
static int split(const char *text, char host[PLACE_TEXT], uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	char *end;
	long number;

	if (!colon || len == 0 || len >= PLACE_TEXT || !colon[1] ||
		strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
		strlen(colon + 1) > 5)
		return -1;
	number = strtol(colon + 1, &end, 10);
	if (number < 1 || number > 65535)
		return -1;
	*port = (uint16_t)number;
	if (text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	return 0;
}

int place_parse(
	const char *text, struct message_place *out, struct relay_err *err)
{
	char host[PLACE_TEXT];
	uint16_t port;
	bool v6;

	memset(out, 0, sizeof(*out));
	if (split(text, host, &port) != 0)
		return relay_fail(err,
			"\"%.100s\" is no ADDRESS:PORT, such as "
			"192.0.2.1:22067 or [2001:db8::1]:22067",
			text);
	v6 = text[0] == '[';
	if (inet_pton(v6 ? AF_INET6 : AF_INET, host, out->address) != 1)
		return relay_fail(err,
			"\"%.100s\" has no IP address: write that of this "
			"node, "
			"not the name that all nodes share",
			text);
	out->len = v6 ? 16 : 4;
	out->port = port;
	return 0;
}

const char *place_text(const struct message_place *place, char out[PLACE_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "";

	out[0] = '\0';
	if (place->len && inet_ntop(place->len == 4 ? AF_INET : AF_INET6,
				  place->address, host, sizeof(host)))
		snprintf(out, PLACE_TEXT, place->len == 4 ? "%s:%u" : "[%s]:%u",
			host, (unsigned)place->port);
	return out;
}

void place_fill(const struct message_place *at, const uint8_t key[MESSAGE_ID],
	struct relay_found *out)
{
	memset(out, 0, sizeof(*out));
	if (!at->len)
		return;
	memcpy(out->address, at->address, sizeof(out->address));
	out->address_len = at->len;
	out->port = at->port;
	out->key_len = MESSAGE_ID;
	memcpy(out->key, key, MESSAGE_ID);
}

unsigned place_families(
	const struct message_place *v4, const struct message_place *v6)
{
	return (v4->len ? 1U : 0U) | (v6->len ? 2U : 0U);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* The header of the PROXY protocol, versions 1 and 2. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "net/proxy_header.h"

#define V1_MOST   107 /* with its CR LF */
#define V2_FIXED  16
#define V2_UNSPEC 0
#define V2_INET   0x11 /* TCP over IPv4 */
#define V2_INET6  0x21
#define V2_UNIX   0x31
#define TLV_FIXED 3
#define TLV_CRC   0x03

static const uint8_t signature[12] = {
	'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};
static const char word[] = "PROXY ";

/* Address and port are in network byte order; the port may lie anywhere. */
static void set_end(int family, const void *address, const void *port,
	struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (family == AF_INET) {
		memcpy(&v4.sin_addr, address, sizeof(v4.sin_addr));
		memcpy(&v4.sin_port, port, sizeof(v4.sin_port));
		memcpy(out, &v4, sizeof(v4));
	} else {
		memcpy(&v6.sin6_addr, address, sizeof(v6.sin6_addr));
		memcpy(&v6.sin6_port, port, sizeof(v6.sin6_port));
		memcpy(out, &v6, sizeof(v6));
	}
}

/* Version 1: a line of text. */

/* The next word and its single blank; NULL: there is none. */
static const char *next_word(char **rest)
{
	char *begin = *rest, *blank = strchr(begin, ' ');

	if (blank) {
		*blank = '\0';
		*rest = blank + 1;
	} else {
		*rest = begin + strlen(begin);
	}
	return *begin ? begin : NULL;
}

static int read_port(const char *text, in_port_t *out)
{
	size_t digits = text ? strspn(text, "0123456789") : 0;
	unsigned number = 0;

	if (digits == 0 || digits > 5 || text[digits] ||
		(digits > 1 && text[0] == '0'))
		return -1;
	for (size_t i = 0; i < digits; i++)
		number = number * 10 + (unsigned)(text[i] - '0');
	*out = htons((uint16_t)number);
	return number <= UINT16_MAX ? 0 : -1;
}

static int read_host(int family, const char *text, void *out)
{
	return text && inet_pton(family, text, out) == 1 ? 0 : -1;
}

static enum proxy_header_kind read_ends(
	int family, char *rest, struct proxy_header *out)
{
	uint8_t from[16], to[16];
	in_port_t from_port, to_port;

	if (read_host(family, next_word(&rest), from) ||
		read_host(family, next_word(&rest), to) ||
		read_port(next_word(&rest), &from_port) ||
		read_port(rest, &to_port))
		return PROXY_HEADER_BAD;
	set_end(family, from, &from_port, &out->from);
	set_end(family, to, &to_port, &out->to);
	return PROXY_HEADER_PEER;
}

static enum proxy_header_kind read_line(char *line, struct proxy_header *out)
{
	char *rest = line + sizeof(word) - 1;
	const char *family = next_word(&rest);

	if (!family)
		return PROXY_HEADER_BAD;
	if (strcmp(family, "TCP4") == 0)
		return read_ends(AF_INET, rest, out);
	if (strcmp(family, "TCP6") == 0)
		return read_ends(AF_INET6, rest, out);
	return strcmp(family, "UNKNOWN") == 0 ? PROXY_HEADER_CHECK
					      : PROXY_HEADER_BAD;
}

static enum proxy_header_kind read_v1(
	const uint8_t *bytes, size_t len, struct proxy_header *out)
{
	char line[V1_MOST];
	size_t at = 0;

	while (at < len && at < V1_MOST - 1 && bytes[at] >= ' ' &&
		bytes[at] <= '~') {
		line[at] = (char)bytes[at];
		at++;
	}
	if (at == V1_MOST - 1)
		return PROXY_HEADER_BAD;
	if (at == len)
		return PROXY_HEADER_PART;
	/* Only CR may end it, and LF must follow. */
	if (bytes[at] != '\r')
		return PROXY_HEADER_BAD;
	if (at + 1 == len)
		return PROXY_HEADER_PART;
	if (bytes[at + 1] != '\n')
		return PROXY_HEADER_BAD;
	line[at] = '\0';
	out->len = at + 2;
	return read_line(line, out);
}

/* Version 2: bytes. */

/* CRC-32C (RFC 3720, B.4) of a header whose four bytes at `hole` count as 0. */
static uint32_t checksum(const uint8_t *bytes, size_t len, size_t hole)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= i >= hole && i < hole + 4 ? 0 : bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	return ~crc;
}

/* What follows the addresses: types with lengths, of which only the checksum
 * means something here. */
static enum proxy_header_kind read_extras(const uint8_t *bytes, size_t at,
	size_t len, enum proxy_header_kind good)
{
	while (at < len) {
		size_t size;
		uint32_t sum;

		if (len - at < TLV_FIXED)
			return PROXY_HEADER_BAD;
		size = (size_t)bytes[at + 1] << 8 | bytes[at + 2];
		if (size > len - at - TLV_FIXED)
			return PROXY_HEADER_BAD;
		if (bytes[at] == TLV_CRC) {
			if (size != sizeof(sum))
				return PROXY_HEADER_BAD;
			memcpy(&sum, bytes + at + TLV_FIXED, sizeof(sum));
			if (ntohl(sum) != checksum(bytes, len, at + TLV_FIXED))
				return PROXY_HEADER_CHECKSUM;
		}
		at += TLV_FIXED + size;
	}
	return good;
}

/* Both addresses of so many bytes, then both ports. */
static void take_ends(
	int family, const uint8_t *at, size_t size, struct proxy_header *out)
{
	set_end(family, at, at + 2 * size, &out->from);
	set_end(family, at + size, at + 2 * size + 2, &out->to);
}

static enum proxy_header_kind read_addresses(
	const uint8_t *bytes, size_t len, struct proxy_header *out)
{
	enum proxy_header_kind kind = PROXY_HEADER_PEER;
	size_t size;

	switch (bytes[13]) {
	case V2_INET:
		size = 12;
		break;
	case V2_INET6:
		size = 36;
		break;
	case V2_UNIX:
		size = 216;
		kind = PROXY_HEADER_CHECK;
		break;
	case V2_UNSPEC: /* what follows means nothing */
		return PROXY_HEADER_CHECK;
	default: /* datagrams, and what the protocol does not know */
		return PROXY_HEADER_BAD;
	}
	if (len - V2_FIXED < size)
		return PROXY_HEADER_BAD;
	if (bytes[13] == V2_INET)
		take_ends(AF_INET, bytes + V2_FIXED, 4, out);
	else if (bytes[13] == V2_INET6)
		take_ends(AF_INET6, bytes + V2_FIXED, 16, out);
	return read_extras(bytes, V2_FIXED + size, len, kind);
}

static enum proxy_header_kind read_v2(
	const uint8_t *bytes, size_t len, struct proxy_header *out)
{
	size_t all;

	/* The version, then LOCAL or PROXY. */
	if (len > 12 && bytes[12] != 0x20 && bytes[12] != 0x21)
		return PROXY_HEADER_BAD;
	if (len < V2_FIXED)
		return PROXY_HEADER_PART;
	all = V2_FIXED + ((size_t)bytes[14] << 8 | bytes[15]);
	if (all > PROXY_HEADER_MOST)
		return PROXY_HEADER_LONG;
	if (len < all)
		return PROXY_HEADER_PART;
	out->len = all;
	/* Whatever a LOCAL header says besides means nothing. */
	return bytes[12] == 0x20 ? PROXY_HEADER_CHECK
				 : read_addresses(bytes, all, out);
}

static bool begins(
	const uint8_t *bytes, size_t len, const void *with, size_t size)
{
	return memcmp(bytes, with, len < size ? len : size) == 0;
}

enum proxy_header_kind proxy_header_read(
	const uint8_t *bytes, size_t len, struct proxy_header *out)
{
	memset(out, 0, sizeof(*out));
	if (len == 0)
		return PROXY_HEADER_PART;
	if (begins(bytes, len, signature, sizeof(signature)))
		return len < sizeof(signature) ? PROXY_HEADER_PART
					       : read_v2(bytes, len, out);
	if (begins(bytes, len, word, sizeof(word) - 1))
		return len < sizeof(word) - 1 ? PROXY_HEADER_PART
					      : read_v1(bytes, len, out);
	return PROXY_HEADER_BAD;
}

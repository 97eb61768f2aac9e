/* SPDX-License-Identifier: MPL-2.0 */

/*
 * ext_address.h - one entry of the list ext-address.
 *
 *   HOST:PORT, [IPV6]:PORT   told instead of where a client came in
 *   :PORT                    the client uses the address that it connected to
 *   AT=ENTRY                 only told to clients that came in AT :PORT or
 *                            ADDRESS:PORT
 */
#ifndef EXT_ADDRESS_H
#define EXT_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/err.h>

struct addrinfo;

#define EXT_ADDRESS_HOST 256

struct told_address {
	bool known;
	bool unspecified; /* clients use the address they connected to */
	uint16_t port;
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
};

struct ext_address {
	/* Known: only for clients that came in there; unspecified: at this
	 * port of any address. */
	struct told_address at;
	struct told_address v4, v6; /* for clients of each family */
	char host[EXT_ADDRESS_HOST];
	uint16_t port;
	bool is_name; /* host must be resolved */
};

/* An address with its port, IPv4 or IPv6. */
void told_address_set(
	struct told_address *out, const struct sockaddr_storage *address);
/* A mapped IPv4 address counts as IPv4. */
bool told_address_is_v6(const struct told_address *address);
bool told_address_same(
	const struct told_address *a, const struct told_address *b);

/*
 * Parses one entry, without AT= if `option` is not ext-address.  For a name,
 * clients use the address they connected to until ext_address_update().  0, or
 * -1 with err.
 */
int ext_address_read(struct ext_address *out, const char *option,
	const char *text, struct relay_err *err);
/* Also whether a URI can have its host.  0, or -1 with err. */
int ext_address_check(
	const char *option, const char *text, struct relay_err *err);

/*
 * Sets the resolved addresses of the name.  If the current address is still
 * among them it is kept, because many name servers rotate the order.  True if
 * an address has changed.
 */
bool ext_address_update(struct ext_address *ext, const struct addrinfo *list);
/* The host without the brackets of an IPv6 address. */
void ext_address_bare_host(
	const struct ext_address *ext, char host[EXT_ADDRESS_HOST]);

#endif

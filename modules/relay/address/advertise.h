/* SPDX-License-Identifier: MPL-2.0 */

/*
 * advertise.h - the relay's address that clients are told.
 *
 * This is ext-address if it is set, else the listen address.  There is one per
 * address family, so that each client gets an address that it can reach.
 */
#ifndef ADVERTISE_H
#define ADVERTISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

#include <strelaysrv/err.h>

struct addrinfo;

#define ADVERTISE_TEXT 64

struct advertise_address {
	bool known;       /* there is an address of this family */
	bool unspecified; /* clients use the address they connected to */
	uint16_t port;
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
};

struct advertise {
	struct advertise_address v4, v6;
	char host[256]; /* for the URI; "": none */
	uint16_t port;  /* for the URI */
	bool is_name;   /* host must be resolved */
};

/*
 * Checks the syntax of an address in an option, "" or HOST:PORT; resolves
 * nothing.  0 or -1.
 */
int advertise_check(
	const char *option, const char *text, struct relay_err *err);

/*
 * Parses `ext_address` ("": none) or reads the listen addresses.  [C] Resolves
 * nothing: for a name, only the port is known until advertise_update().  0, or
 * -1 with err.
 */
int advertise_init(struct advertise *advertise, const char *ext_address,
	struct relay_err *err);
/*
 * Sets the resolved addresses of the name.  If the current address is still
 * among them it is kept, because many name servers rotate the order.  True if
 * the announced address has changed.
 */
bool advertise_update(struct advertise *advertise, const struct addrinfo *list);
/* The host without the brackets of an IPv6 address. */
void advertise_bare_host(const struct advertise *advertise, char host[256]);

/* Whether both announce the same addresses. */
bool advertise_equal(const struct advertise *a, const struct advertise *b);

/* One address with its port, IPv4 or IPv6. */
void advertise_address(
	struct advertise_address *out, const struct sockaddr_storage *address);
/* As "HOST:PORT" for a URI, ":PORT" for the unspecified address. */
void advertise_format(const struct advertise_address *address, bool v6,
	char out[ADVERTISE_TEXT]);
/* Announce this address instead, to clients of that family and in the URI. */
void advertise_replace(struct advertise *advertise, bool v6,
	const struct advertise_address *by);

/*
 * The address for a client of an IPv4 or IPv6 connection: `len` of the 16 bytes
 * (0: the address it connected to) and the port.  Protocol, "Behaviour".
 */
void advertise_to(const struct advertise *advertise, bool v6,
	uint8_t address[16], size_t *len, uint16_t *port);

#endif

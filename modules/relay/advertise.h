/* SPDX-License-Identifier: MPL-2.0 */

/*
 * advertise.h - where clients are told to find the relay.
 *
 * That is ext-address if it is set, else what the relay listens on; by family,
 * so that everybody is told an address that it can reach.
 */
#ifndef ADVERTISE_H
#define ADVERTISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

#include <strelaysrv/err.h>

struct addrinfo;

struct advertise_address {
	bool known;       /* there is an address of this family */
	bool unspecified; /* clients take the address that they dialled */
	uint16_t port;
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
};

struct advertise {
	struct advertise_address v4, v6;
	char host[256]; /* for the URI; "": none */
	uint16_t port;  /* for the URI */
	bool is_name;   /* host has to be looked up */
};

/* Whether `ext_address` can be split; looks nothing up.  0 or -1. */
int advertise_check(const char *ext_address, struct relay_err *err);

/*
 * Splits `ext_address` ("": none) or reads the listen addresses.  [C]  Looks
 * nothing up: of a name, only the port is known until advertise_update().  0 or
 * -1 with err naming what is wrong with it.
 */
int advertise_init(struct advertise *advertise, const char *ext_address,
	struct relay_err *err);
/*
 * Takes over what its name was looked up to be.  An address that is still among
 * the results stays, since many servers tell them in turns.  True: another one
 * is told now.
 */
bool advertise_update(struct advertise *advertise, const struct addrinfo *list);
/* The host without the brackets of an IPv6 address. */
void advertise_bare_host(const struct advertise *advertise, char host[256]);

/* Whether clients are told the same. */
bool advertise_equal(const struct advertise *a, const struct advertise *b);

/* One address with its port, IPv4 or IPv6. */
void advertise_address(
	struct advertise_address *out, const struct sockaddr_storage *address);
/* This one is told instead to clients of that family, and in the URI. */
void advertise_replace(struct advertise *advertise, bool v6,
	const struct advertise_address *by);

/*
 * What to tell a client of an IPv4 or IPv6 connection: `len` of the 16 bytes
 * (0: take what you dialled) and the port.  Protocol, "Behaviour".
 */
void advertise_to(const struct advertise *advertise, bool v6,
	uint8_t address[16], size_t *len, uint16_t *port);

#endif

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

#include <strelaysrv/err.h>

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
};

/* Whether `ext_address` can be split; looks nothing up.  0 or -1. */
int advertise_check(const char *ext_address, struct relay_err *err);

/* Splits `ext_address` ("": none) or reads the listen addresses.  [C]  0 or -1
 * with err naming what is wrong with it. */
int advertise_init(struct advertise *advertise, const char *ext_address,
	struct relay_err *err);

/*
 * What to tell a client of an IPv4 or IPv6 connection: `len` of the 16 bytes
 * (0: take what you dialled) and the port.  Protocol, "Behaviour".
 */
void advertise_to(const struct advertise *advertise, bool v6,
	uint8_t address[16], size_t *len, uint16_t *port);

#endif

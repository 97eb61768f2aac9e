/* SPDX-License-Identifier: MPL-2.0 */

/*
 * told.h - the address and port that an invitation tells one client.
 *
 * The table in the module's README is the specification; a test reads it.
 */
#ifndef TOLD_H
#define TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct advertise;

/* A client's connection; IPv4 on an IPv6 socket as IPv4. */
struct came_in {
	struct sockaddr_storage from;
	struct sockaddr_storage local;    /* the address it connected to */
	struct sockaddr_storage listener; /* AF_UNSPEC: unknown */
};

struct told {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	size_t len;        /* 16; 0: the client uses the address that it
			    * connected to */
	uint16_t port;
	/* It came from outside to a private address, and nothing says which
	 * address it used: behind a proxy it cannot follow the invitation. */
	bool lost;
};

/* Pure. */
void told_to(const struct advertise *advertise, const struct came_in *in,
	struct told *out);

#endif

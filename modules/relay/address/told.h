/* SPDX-License-Identifier: MPL-2.0 */

/*
 * told.h - the address and port that an invitation tells one client.
 *
 * The table in the module's README is the specification; a test reads it.
 */
#ifndef TOLD_H
#define TOLD_H

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

/* A client that is told no address uses the one that it connected to.  Behind
 * an HTTP or SOCKS proxy it may not know any, and cannot follow. */
enum told_lost {
	TOLD_FOLLOWS, /* it is told an address */
	TOLD_OUTSIDE, /* it came from a public address */
	TOLD_INSIDE,  /* from the relay's own network, or through a proxy of it
		       */
	TOLD_LOST_KINDS
};

struct told {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	size_t len;        /* 16; 0: the client uses the address that it
			    * connected to */
	uint16_t port;
	enum told_lost lost;
};

/* Pure. */
void told_to(const struct advertise *advertise, const struct came_in *in,
	struct told *out);

#endif

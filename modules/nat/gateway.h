/* SPDX-License-Identifier: MPL-2.0 */

/*
 * gateway.h - what is wanted of a gateway, and the ways to ask for it.
 *
 * port.c     IPv4: a port of the gateway's, by UPnP or NAT-PMP
 * pinhole.c  IPv6: a hole in the gateway's firewall, by UPnP
 */
#ifndef GATEWAY_H
#define GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include <netinet/in.h>

#include <strelaysrv/err.h>

#include "host.h"
#include "refusal.h"

/* What is wanted. */
struct gateway_wish {
	uint16_t port;  /* the one that we listen on */
	char local[64]; /* the address that we listen on; "": any */
	int64_t lease_ms;
	int64_t timeout_ms; /* for a search */
	uint32_t random;    /* any number, each time another one */
	struct hosts
		gateways; /* that may be asked; none: the default routes' */
	struct refusals
		*refusals; /* borrowed: where to count what is refused */
};

/* What there is: where clients from outside reach us. */
struct gateway_mapping {
	struct sockaddr_storage outer; /* unspecified: the gateway has none */
	const char *protocol;          /* "UPnP", "NAT-PMP"; constant */
	int64_t lease_ms; /* as it was given; 0: as it was asked for */
};

enum gateway_result {
	GATEWAY_DONE,
	GATEWAY_TAKEN,  /* somebody else has that port */
	GATEWAY_LOST,   /* it knows nothing of it any more */
	GATEWAY_ABSENT, /* there is nobody to ask, or nothing to ask for */
	GATEWAY_FAILED, /* no answer, or one that does not help */
};

/* One way to ask.  All of it blocks, and leaves err saying why not DONE. */
struct gateway;
struct gateway_ops {
	struct gateway *(*create)(void); /* NULL without memory */
	/* Accepts NULL.  What is mapped stays so. */
	void (*destroy)(struct gateway *gateway);
	/* Looks for one anew; asks it for nothing.  DONE or ABSENT. */
	enum gateway_result (*find)(struct gateway *gateway,
		const struct gateway_wish *wish, struct relay_err *err);
	/* Maps or renews. */
	enum gateway_result (*map)(struct gateway *gateway,
		const struct gateway_wish *wish, struct gateway_mapping *out,
		struct relay_err *err);
	/* Whether it is still there, and what the address is by now. */
	enum gateway_result (*check)(struct gateway *gateway,
		const struct gateway_wish *wish, struct gateway_mapping *out,
		struct relay_err *err);
	/* Takes back what map() got, if it got anything, and forgets which
	 * port it was. */
	void (*unmap)(struct gateway *gateway, const struct gateway_wish *wish);
};

extern const struct gateway_ops gateway_port, gateway_pinhole;

#endif

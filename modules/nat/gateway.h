/* SPDX-License-Identifier: MPL-2.0 */

/*
 * gateway.h - the interface to gateways: mapping a port or opening a pinhole.
 *
 * - port.c, for IPv4, maps a port of the gateway by UPnP or NAT-PMP;
 * - pinhole.c, for IPv6, opens a pinhole in the gateway's firewall by UPnP.
 */
#ifndef GATEWAY_H
#define GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include <netinet/in.h>

#include <strelaysrv/err.h>

#include "host.h"
#include "refusal.h"

/* The request. */
struct gateway_wish {
	uint16_t port;  /* our listen port */
	char local[64]; /* our listen address; "": any */
	int64_t lease_ms;
	int64_t timeout_ms;    /* for a search */
	uint32_t random;       /* a new random number each time */
	struct hosts gateways; /* trusted gateways; none: those of the default
				  routes */
	struct refusals *refusals; /* borrowed: counts refusals */
};

/* The mapping: the address at which clients from outside reach us. */
struct gateway_mapping {
	struct sockaddr_storage
		outer;        /* unspecified: the gateway has no address */
	const char *protocol; /* "UPnP", "NAT-PMP"; constant */
	int64_t lease_ms;     /* as granted; 0: as requested */
};

enum gateway_result {
	GATEWAY_DONE,
	GATEWAY_TAKEN,  /* another host has that port */
	GATEWAY_LOST,   /* the gateway has no such mapping any more */
	GATEWAY_ABSENT, /* there is no gateway, or nothing to map */
	GATEWAY_FAILED, /* no answer, or an error */
};

/* One method.  All functions block, and fill err unless they return DONE. */
struct gateway;
struct gateway_ops {
	struct gateway *(*create)(void); /* NULL if memory is short */
	/* NULL is allowed.  Mappings stay. */
	void (*destroy)(struct gateway *gateway);
	/* Searches for a gateway again; maps nothing.  DONE or ABSENT. */
	enum gateway_result (*find)(struct gateway *gateway,
		const struct gateway_wish *wish, struct relay_err *err);
	/* Maps or renews. */
	enum gateway_result (*map)(struct gateway *gateway,
		const struct gateway_wish *wish, struct gateway_mapping *out,
		struct relay_err *err);
	/*
	 * Checks whether the mapping still exists, and reads the current
	 * address.
	 */
	enum gateway_result (*check)(struct gateway *gateway,
		const struct gateway_wish *wish, struct gateway_mapping *out,
		struct relay_err *err);
	/*
	 * Removes the mapping of map(), if there is one, and forgets its port.
	 */
	void (*unmap)(struct gateway *gateway, const struct gateway_wish *wish);
};

extern const struct gateway_ops gateway_port, gateway_pinhole;

#endif

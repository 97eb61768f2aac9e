/* SPDX-License-Identifier: MPL-2.0 */

/*
 * igd.h - UPnP requests to an Internet gateway: search, description, actions.
 *
 * The UPnP library is only used to parse descriptions.  The network code is our
 * own, because the library limits neither the size nor the time of an answer
 * and does not report its sender.  All functions block, for a limited time.
 */
#ifndef IGD_H
#define IGD_H

#include <stdbool.h>
#include <stdint.h>

#include "fetch.h"
#include "gateway.h"
#include "host.h"
#include "refusal.h"

#define IGD_TYPE 128

struct igd_service {
	char type[IGD_TYPE]; /* "": the gateway has no such service */
	struct url control;
};

struct igd {
	struct igd_service ports;    /* of an IPv4 connection */
	struct igd_service spare;    /* a second such service */
	struct igd_service pinholes; /* of the IPv6 firewall */
	char local[HOST_TEXT];       /* our address on the connection to it */
	char source[HOST_TEXT]; /* where requests come from; "": anywhere */
	/* Deadline of the current requests; see igd_begin(). */
	int64_t end_ms;
	struct refusals *refusals;
};

struct igd_search {
	int family;         /* address family of requests */
	uint32_t interface; /* for IPv6; 0: any */
	const char *const *kinds;
	/* Whether the device is the wanted kind. */
	bool (*fits)(const struct igd *igd);
};

/* Searches for a gateway until `end_ms`.  0, or -1 with err. */
int igd_find(struct igd *igd, const struct igd_search *search,
	const struct gateway_wish *wish, int64_t end_ms, struct relay_err *err);

/* Sets the time that the following requests together may take. */
void igd_begin(struct igd *igd, const struct gateway_wish *wish, int64_t ms);

/* An argument of an action; no value needs escaping. */
struct igd_arg {
	const char *name, *value;
};

/*
 * Runs an action on the gateway.  0 with *answer; the protocol's error code
 * (above 0), or -1, both with err.  `args` ends with a NULL name.  Free *answer
 * with answer_free() in all cases; it may be NULL.
 */
int igd_call(const struct igd *igd, const struct igd_service *service,
	const char *action, const struct igd_arg *args, struct answer *answer,
	struct relay_err *err);
/* A field of the answer, "" if it is too long.  0, or -1 if there is none. */
int igd_value(
	const struct answer *answer, const char *name, char *out, size_t cap);

#endif

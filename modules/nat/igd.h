/* SPDX-License-Identifier: MPL-2.0 */

/*
 * igd.h - an Internet gateway that speaks UPnP: found, described, and asked.
 *
 * The library for UPnP parses descriptions; what goes over the network is ours,
 * since the library has no bound for what it is sent, nor for how long, and
 * does not tell who sent it.  All of it blocks, for a bounded time.
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
	char type[IGD_TYPE]; /* "": the gateway has none */
	struct url control;
};

struct igd {
	struct igd_service ports;    /* of an IPv4 connection */
	struct igd_service spare;    /* a second one of these */
	struct igd_service pinholes; /* of the IPv6 firewall */
	char local[HOST_TEXT];       /* our address, on the way to it */
	/* Of all that is asked from now on; see igd_begin(). */
	int64_t end_ms;
	struct refusals *refusals;
};

struct igd_search {
	int family;         /* by which it is asked */
	uint32_t interface; /* by which IPv6 goes out; 0: any */
	const char *const *kinds;
	/* Whether that is what is looked for. */
	bool (*fits)(const struct igd *igd);
};

/* Looks for one until `end_ms`.  0, or -1 with err. */
int igd_find(struct igd *igd, const struct igd_search *search,
	const struct gateway_wish *wish, int64_t end_ms, struct relay_err *err);

/* What follows has so long, all together. */
void igd_begin(struct igd *igd, const struct gateway_wish *wish, int64_t ms);

/* An argument of an action; none of them needs escaping. */
struct igd_arg {
	const char *name, *value;
};

/*
 * Has it do something.  0 with *answer; the error of the protocol (above 0), or
 * -1, each with err.  `args` ends with a NULL name.  *answer is to be freed
 * (answer_free()) either way; it may be NULL.
 */
int igd_call(const struct igd *igd, const struct igd_service *service,
	const char *action, const struct igd_arg *args, struct answer *answer,
	struct relay_err *err);
/* A field of the answer, "" if it is too long.  0, or -1: it has none. */
int igd_value(
	const struct answer *answer, const char *name, char *out, size_t cap);

#endif

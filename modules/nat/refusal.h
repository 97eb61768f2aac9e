/* SPDX-License-Identifier: MPL-2.0 */

/*
 * refusal.h - counts refused answers of gateways and impostors.
 *
 * Filled by one thread; keeper.c passes it on to the log and the metrics.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <strelaysrv/err.h>

enum refusal {
	REFUSAL_STRANGER,  /* an answer from a host that is not a gateway */
	REFUSAL_ELSEWHERE, /* the gateway refers to another host */
	REFUSAL_SIZE,      /* the answer is too large */
	REFUSAL_TIME,      /* the answer takes too long */
	REFUSAL_ADDRESS,   /* an external address that is not reachable */
	REFUSAL_PORT,      /* port 0, or another port than requested */
	REFUSAL_LEASE,     /* a lease that is too short */
	REFUSAL_CHANGE,    /* the address changes too often */
	REFUSALS,
};

struct refusals {
	unsigned counts[REFUSALS];
	struct relay_err last[REFUSALS]; /* texts for the log */
};

/* Names for the metrics; NULL-terminated. */
extern const char *const refusal_words[];

/*
 * Counts a refusal and stores its text, also in err unless NULL.  Returns -1.
 */
int refuse(struct refusals *to, enum refusal reason, struct relay_err *err,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * refusal.h - what gateways, and those who pretend to be one, said in vain.
 *
 * Filled by one thread; keeper.c hands it over for the log and the metrics.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <strelaysrv/err.h>

enum refusal {
	REFUSAL_STRANGER,  /* an answer from a host that is no gateway */
	REFUSAL_ELSEWHERE, /* the gateway sends us to another host */
	REFUSAL_SIZE,      /* it says more than fits */
	REFUSAL_TIME,      /* it takes too long to say it */
	REFUSAL_ADDRESS,   /* an external address that nobody reaches */
	REFUSAL_PORT,      /* port 0, or another than it was asked for */
	REFUSAL_LEASE,     /* a lease that is over at once */
	REFUSAL_CHANGE,    /* the address changes too often */
	REFUSALS,
};

struct refusals {
	unsigned counts[REFUSALS];
	struct relay_err last[REFUSALS]; /* what was refused, for the log */
};

/* Their names in the metrics; NULL-terminated. */
extern const char *const refusal_words[];

/* Counts it, and keeps the text; also in err, unless that is NULL.  -1. */
int refuse(struct refusals *to, enum refusal reason, struct relay_err *err,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif

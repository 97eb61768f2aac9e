/* SPDX-License-Identifier: MPL-2.0 */

/*
 * plan.h - interprets a pool's answer, and plans the next request.
 *
 * Pure: it returns delays; randomness is passed in.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plan_outcome {
	PLAN_JOINED,
	PLAN_UNDECODABLE,  /* 200, but without the time it lists the relay */
	PLAN_UNAUTHORIZED, /* 401: a wrong address, or too many errors */
	PLAN_REFUSED,      /* any other status */
	PLAN_UNREACHED,    /* no answer at all */
	PLAN_OUTCOMES
};

/* An answer. */
struct plan_answer {
	long status;      /* of HTTP; 0: no answer */
	const char *body; /* the start of it; need not be terminated */
	size_t len;
	bool cut; /* the body was longer */
};

/* Numbers of consecutive failures.  Initially all zero. */
struct plan {
	unsigned failures;
	unsigned refusals; /* 401 */
};

struct plan_next {
	enum plan_outcome outcome;
	int64_t told_ms;  /* for the log: 80 % of the granted time */
	int64_t delay_ms; /* delay to the next request; with jitter */
	int64_t keep_ms; /* for how long the pool lists the relay; 0: unknown */
};

/* `random`: a new random number in each call. */
struct plan_next plan_after(
	struct plan *plan, const struct plan_answer *answer, uint32_t random);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * plan.h - what a pool's answer means, and when to ask again.
 *
 * Pure: time is what it returns, randomness is passed in.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plan_outcome {
	PLAN_JOINED,
	PLAN_UNDECODABLE,  /* 200, but not a word about for how long */
	PLAN_UNAUTHORIZED, /* 401: a wrong address, or too many errors */
	PLAN_REFUSED,      /* any other status */
	PLAN_UNREACHED,    /* no answer at all */
	PLAN_OUTCOMES
};

/* What came back. */
struct plan_answer {
	long status;      /* of HTTP; 0: no answer */
	const char *body; /* its start; need not be terminated */
	size_t len;
	bool cut; /* there was more than that */
};

/* How often in a row it went wrong.  All zero: not yet. */
struct plan {
	unsigned failures;
	unsigned refusals; /* 401 */
};

struct plan_next {
	enum plan_outcome outcome;
	int64_t told_ms;  /* for the log: 80 % of what the pool granted */
	int64_t delay_ms; /* the same with jitter, when it went well */
	int64_t keep_ms;  /* for how long the pool lists us; 0: not said */
};

/* `random`: any number, each time another one. */
struct plan_next plan_after(
	struct plan *plan, const struct plan_answer *answer, uint32_t random);

#endif

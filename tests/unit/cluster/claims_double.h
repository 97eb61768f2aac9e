/* SPDX-License-Identifier: MPL-2.0 */

/*
 * claims_double.h - claims.c with a registry and other nodes that do nothing
 * but write down what they are asked for.
 */
#ifndef CLAIMS_DOUBLE_H
#define CLAIMS_DOUBLE_H

#include "cluster/claims/claims.h"

#define SELF  UINT64_C(10)
#define OTHER UINT64_C(20)

struct claims_double {
	struct claims *claims;
	int64_t now;
	uint64_t serial;
	int claim, release, probe, end; /* what these calls return */
	bool lives;                     /* every other node */
	bool quiet;                     /* only counts */
	char log[16384];
	size_t len;
	unsigned asked[200000]; /* claims of each device, if quiet */
	unsigned last;          /* of them */
	unsigned total;
};

struct claims_double *claims_double_new(void);
void claims_double_free(struct claims_double *d);

const uint8_t *id_of(unsigned device);
/* What was called since the last time is `want`: words such as
 *   join1/0 check1/5 release1 probe1@7 end1@7 claimed1/5>20 alive1/5>20
 * which are followed by a blank each. */
void said(struct claims_double *d, const char *want);
void join(struct claims_double *d, unsigned device, uint64_t conn);
void leave(struct claims_double *d, unsigned device, uint64_t conn);
/* The result of a claim. */
void answer(struct claims_double *d, unsigned device, struct owner before,
	struct owner now);
/* Joins with connection `device`, and becomes ours with that epoch. */
void own(struct claims_double *d, unsigned device, uint64_t epoch);
/* Time passes, with each tick when it is due. */
void pass(struct claims_double *d, int64_t ms);
void probed(
	struct claims_double *d, unsigned device, uint64_t conn, bool alive);
struct claims_count counts(const struct claims_double *d);

#endif

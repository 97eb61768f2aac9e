/* SPDX-License-Identifier: MPL-2.0 */

/* account.h - a named token, and what its devices have used. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/thread.h>

#include "shared/token_name.h"

/* What a line of the file says. */
struct account_terms {
	uint8_t digest[32]; /* SHA-256 of the token */
	int64_t rate;       /* bytes per second of each device; 0: any */
	int64_t weight;     /* 0: none is given */
	int64_t quota;      /* bytes in a month; 0: any */
	int64_t expires_s;  /* since 1970; 0: never */
};

/* Guarded by the lock of struct accounts, but for `bytes`. */
struct account {
	struct account *next;
	char name[TOKEN_NAME_TEXT]; /* constant */
	struct account_terms terms;
	bool listed;           /* the file in force has it */
	bool revoked;          /* by a command */
	bool used_up;          /* its quota, or nobody counts it */
	bool counted;          /* `used_up` says so, and not that it is new */
	bool over;             /* when that was looked at last; [C] */
	unsigned ends;         /* how often it was over; [C] */
	unsigned holders;      /* presences and sessions */
	unsigned devices;      /* presences */
	int64_t month;         /* bytes, as the module quota counts */
	_Atomic int64_t bytes; /* of its sessions, since it is known */
	int64_t told;          /* of these, how many quota knows */
};

enum account_answer {
	ACCOUNT_OK,
	ACCOUNT_TERMS,   /* so far; its rate, weight or quota is not in force */
	ACCOUNT_UNKNOWN, /* none has this token */
	ACCOUNT_OVER,    /* it is revoked, or its line is gone */
	ACCOUNT_EXPIRED,
	ACCOUNT_USED_UP, /* its quota */
	ACCOUNT_NO_MEMORY,
};

static inline bool account_expired(const struct account_terms *terms)
{
	return terms->expires_s &&
	       relay_wall_us() / 1000000 >= terms->expires_s;
}

/* With the lock of accounts held. */
static inline enum account_answer account_judge(const struct account *account)
{
	if (!account->listed || account->revoked)
		return ACCOUNT_OVER;
	if (account_expired(&account->terms))
		return ACCOUNT_EXPIRED;
	return account->used_up ? ACCOUNT_USED_UP : ACCOUNT_OK;
}

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* account.h - a named token, and what its devices have used. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

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
	unsigned holders;      /* presences and sessions */
	unsigned devices;      /* presences */
	int64_t month;         /* bytes, as the module quota counts */
	_Atomic int64_t bytes; /* of its sessions, since it is known */
	int64_t told;          /* of these, how many quota knows */
};

#endif

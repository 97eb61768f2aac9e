/* SPDX-License-Identifier: MPL-2.0 */

/* accounts_state.h - what the named tokens in force consist of. */
#ifndef ACCOUNTS_STATE_H
#define ACCOUNTS_STATE_H

#include <pthread.h>

#include <strelaysrv/module.h>

#include "account.h"

struct presence;

enum { ACCOUNTS_BYTES, ACCOUNTS_DEVICES, ACCOUNTS_METRICS };

struct accounts {
	pthread_mutex_t lock;
	struct account *all;
	struct account **order; /* those that are listed, as metrics have them;
				   owned */
	size_t count;
	unsigned generation;        /* raised when terms may have changed */
	struct presence *here;      /* uthash, by ID */
	struct presence *changed;   /* to be told to rate-limit, utlist */
	struct presence *left;      /* have left, utlist */
	struct presence *withdrawn; /* and lost their invitations, utlist */
	bool unlimited, uncounted;  /* that was logged; [C] */
	struct relay_metric *metrics[ACCOUNTS_METRICS]; /* constant */
};

/* With the lock held: frees what the file does not list, nobody holds, and no
 * command has revoked. */
void accounts_drop_unused(struct accounts *accounts);
/* One holder less. */
void accounts_let_go(struct accounts *accounts, struct account *account);

/* Of each connection and each session. */
struct member {
	struct presence *presence; /* NULL: it has not joined with a name */
};
struct session_names {
	struct account *of[2]; /* whose devices these are; NULL: nobody's */
	struct presence *devices[2]; /* NULL: they have no name */
};

#endif

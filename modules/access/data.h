/* SPDX-License-Identifier: MPL-2.0 */

/* data.h - what all threads share. */
#ifndef DATA_H
#define DATA_H

#include <pthread.h>

#include <strelaysrv/module.h>

#include "accounts_state.h"
#include "banned.h"
#include "nodes_state.h"
#include "policy.h"

/* Shared by all threads. */
struct data {
	struct banned banned; /* first, see banned.c; has a lock of its own */
	struct accounts accounts; /* has a lock of its own, too */
	struct nodes nodes;       /* [C] */
	pthread_mutex_t lock;
	struct policy *policy;  /* owned */
	bool other_bans;        /* the reload names another file; [C] */
	int64_t watch_until_ms; /* [C] */
	struct relay_log_kind unseen;
	struct relay_metric *refused;
};

#endif

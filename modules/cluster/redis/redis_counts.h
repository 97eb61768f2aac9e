/* SPDX-License-Identifier: MPL-2.0 */

/* redis_counts.h - what is counted, for metrics. */
#ifndef REDIS_COUNTS_H
#define REDIS_COUNTS_H

#include <stdint.h>

/* Errors in a server's answers, by kind. */
enum redis_fault {
	REDIS_FAULT_TYPE,   /* somebody else's value under one of our keys */
	REDIS_FAULT_MEMORY, /* the server is at its maxmemory */
	REDIS_FAULT_RIGHTS, /* password, access list, renamed command */
	REDIS_FAULT_MOVED,  /* this server cannot write, or not any more */
	REDIS_FAULT_SCRIPT, /* it has forgotten our scripts */
	REDIS_FAULT_BUSY,   /* it loads its data or runs somebody's script */
	REDIS_FAULT_REPLY,  /* an answer of a form that was not expected */
	REDIS_FAULT_OTHER,
	REDIS_FAULTS
};

struct redis_counts {
	uint64_t commands; /* sent */
	uint64_t faults[REDIS_FAULTS];
	uint64_t unanswered; /* in time, or before the connection ended */
	uint64_t refused;    /* not sent: the queue was full */
	uint64_t messages;   /* received */
	uint64_t connects;   /* how often it was reached */
	uint64_t slow;       /* how often it did not answer in time */
	uint64_t waiting;    /* now: sent and not answered */
	int64_t rtt_us;      /* of the last answer */
	int64_t rtt_mean_us; /* of the last hundred or so */
};

#endif

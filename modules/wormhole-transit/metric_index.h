/* SPDX-License-Identifier: MPL-2.0 */

/* metric_index.h - the metrics, and the values of their labels. */
#ifndef METRIC_INDEX_H
#define METRIC_INDEX_H

enum metric { METRIC_CLIENTS, METRIC_BOUNDS, METRIC_WAITING, METRICS };

/* What became of a client. */
enum result {
	RESULT_PAIRED,
	RESULT_BAD_HANDSHAKE,
	RESULT_IMPATIENT,
	RESULT_SLOW,      /* its line did not come in time */
	RESULT_LONELY,    /* it left before another one came */
	RESULT_EXPIRED,   /* no other one came in time */
	RESULT_REDUNDANT, /* another one with its token was paired */
	RESULT_BOUND,     /* a bound on those that wait */
	RESULT_EVICTED,   /* room was needed for others */
	RESULT_FULL,      /* max-connections */
	RESULT_CLOSED,    /* the server is closed to new peers */
	RESULT_REFUSED,   /* by another module, or memory is short */
	RESULT_TLS,
	RESULT_PRIVATE, /* its listener demands a secret */
	RESULT_MOVED,   /* to the new process of an upgrade */
	RESULT_STOPPED, /* the server or the module stops */
	RESULT_ERROR,   /* memory, a system call */
	RESULTS
};

#endif

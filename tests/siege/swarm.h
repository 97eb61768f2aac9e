/* SPDX-License-Identifier: MPL-2.0 */

/* swarm.h - many plain connections that repeat the same action. */
#ifndef SWARM_H
#define SWARM_H

#include "bench.h"

/*
 * When a connection is closed and replaced.  A connection closed by the server
 * is always replaced.
 */
enum swarm_end {
	SWARM_STAY,    /* never */
	SWARM_SENT,    /* after `first` was sent */
	SWARM_ANSWERED /* after the first received byte */
};

struct swarm_plan {
	bool http;     /* connects to the status address, not to the relay */
	size_t open;   /* connections at the same time */
	int64_t per_s; /* most starts per second; 0: no limit */

	/* Sent after connecting, followed by this many random bytes. */
	const uint8_t *first;
	size_t first_len;
	size_t random_len;

	/*
	 * Then sent repeatedly: as fast as the server takes it, or at this
	 * interval in milliseconds.
	 */
	const uint8_t *again;
	size_t again_len;
	int64_t again_ms;

	enum swarm_end end;
	bool deaf;  /* reads nothing, with a small receive buffer */
	bool reset; /* closes with a reset */
	bool stays; /* when the server has ended it, until a write fails */
};

struct swarm_counts {
	uint64_t opened;
	uint64_t ended_by_server;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	uint64_t local_failures; /* no descriptor or port on our side */
};

struct swarm;

/*
 * Starts at once; plan and the data it points to are borrowed until
 * swarm_destroy().  NULL: no memory.
 */
struct swarm *swarm_create(struct bench *bench, const struct sockaddr_in *to,
	const struct swarm_plan *plan);
const struct swarm_counts *swarm_counts(const struct swarm *swarm);

/* Closes all.  NULL is allowed. */
void swarm_destroy(struct swarm *swarm);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What to do when accept(2) fails.  A connection that cannot be accepted stays
 * in the queue and keeps its listener readable, so the loop would spin.  To
 * prevent that, a listener accepts and closes it with a spare descriptor, or
 * pauses.
 */
#ifndef ACCEPT_FAILURE_H
#define ACCEPT_FAILURE_H

#include <sys/socket.h>

struct metrics_shard;

enum accept_next {
	ACCEPT_ANOTHER, /* this one failed, the next may not */
	ACCEPT_EMPTY,   /* the queue is empty */
	ACCEPT_CROWDED, /* no descriptor: close one, or refuse this one */
	ACCEPT_LATER,   /* nothing can be accepted for now */
};

/* What an errno of accept(2) means; counts it in the shard.  Own thread. */
enum accept_next accept_failure(struct metrics_shard *shard, int error);

/* Opens a spare descriptor.  -1: failed. */
int spare_open(void);
/*
 * Closes the spare descriptor, so that accept(2) can use its number.  Returns
 * the connection, or -1: there was no spare, or accept(2) failed again.
 */
int spare_accept(
	int *spare, int listener, struct sockaddr *from, socklen_t *len);
/*
 * The same, but closes the connection at once and opens a new spare.  0, or -1
 * if no connection was accepted.
 */
int spare_refuse(int *spare, int listener);

#endif

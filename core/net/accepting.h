/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What to do when accept(2) fails.  A waiting connection that cannot be taken
 * keeps its listener readable: without a descriptor that was kept for it, or a
 * pause, the loop would spin.
 */
#ifndef ACCEPTING_H
#define ACCEPTING_H

#include <sys/socket.h>

struct metrics_shard;

enum accept_next {
	ACCEPT_ANOTHER, /* this one failed, the next may not */
	ACCEPT_EMPTY,   /* nobody waits */
	ACCEPT_CROWDED, /* no descriptor: close one, or refuse this one */
	ACCEPT_LATER,   /* nothing can be accepted for now */
};

/* What an errno of accept(2) means; counts it in the shard.  Own thread. */
enum accept_next accept_failure(struct metrics_shard *shard, int error);

/* A descriptor in reserve: -1: there is none. */
int spare_open(void);
/*
 * Accepts with the descriptor in reserve, which is gone then.  A descriptor, or
 * -1: there was none, or accept(2) fails for another reason.
 */
int spare_accept(
	int *spare, int listener, struct sockaddr *from, socklen_t *len);
/*
 * The same, but closes what comes, and takes another one in reserve.  0, or -1
 * when it cannot.
 */
int spare_refuse(int *spare, int listener);

#endif

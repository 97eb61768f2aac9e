/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One listening socket of one worker: it accepts, pauses, and refuses.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <event2/event.h>

struct listener_facts;
struct worker;

#define LISTENER_BACKLOG 4096

struct listener {
	struct worker *worker;        /* borrowed */
	struct event *event;          /* owned */
	struct event *retry;          /* owned */
	int fd;                       /* owned */
	struct listener_facts *facts; /* borrowed, see listen_address.h */
	int spare; /* owned; a spare descriptor, see accept_failure.h */
};

/* Sets it to closed: no socket, no events. */
void listener_init(struct listener *listener, struct worker *worker);
/* Own thread: begins to accept on fd, which listens.  0 or -1. */
int listener_start(struct listener *listener);
/* Own thread: while paused, new connections stay in the queue.  0 or -1. */
void listener_pause(struct listener *listener);
int listener_resume(struct listener *listener);
/* Own thread, or after its end.  Does nothing if it is closed. */
void listener_close(struct listener *listener);
/* Own thread: accepts the connections in the queue, then closes itself.  0. */
int listener_drain(struct listener *listener);

#endif

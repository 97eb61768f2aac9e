/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the room has beside the workers' own: all of it is the control thread's,
 * unless a member says otherwise.
 */
#ifndef PEERS_ROOM_H
#define PEERS_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <semaphore.h>

#include "base/instance.h"
#include "peers/listen_set.h"

struct peers_room {
	/* Workers look at these three sets while the control thread waits. */
	struct listen_set now;  /* those that are listened on */
	struct listen_set next; /* the staged ones; see listeners_change.h */
	struct listen_set rest; /* inherited, and not configured */
	bool staged;

	unsigned adopted; /* connections; whose turn it is follows from it */

	/* For stop.c. */
	int64_t stop_until_ms;
	atomic_uint stop_cut; /* connections whose time was over; workers' */
	sem_t stop_done;      /* posted by each worker that has nothing left */
};

/* That of the calling thread's server. */
static inline struct peers_room *peers_room(void)
{
	return instance->peers;
}

/* [C]  0, or -1 without memory. */
int peers_room_create(void);
/* [C]  After listeners_finish().  Accepts one that is not there. */
void peers_room_destroy(void);

#endif

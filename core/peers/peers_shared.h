/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The room's state that belongs to no worker.  Only the control thread uses it,
 * unless a member says otherwise.
 */
#ifndef PEERS_SHARED_H
#define PEERS_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/log.h>

#include "base/instance.h"
#include "base/posts.h"
#include "peers/listen_set_state.h"
#include "peers/question_places.h"

struct relay_metric;

struct peers_shared {
	/* Workers use these three sets while the control thread waits. */
	struct listen_set now;  /* the addresses that are listened on */
	struct listen_set next; /* the staged ones; see listeners_change.h */
	struct listen_set rest; /* inherited, and not configured */
	bool staged;

	unsigned imported; /* connections so far; selects the next worker */

	/* owned array, by enum peer_metric; workers read it */
	struct relay_metric **metrics;
	/* owned array, by the rows of listener_metrics.c; [C] */
	struct relay_metric **listener_metrics;

	/* Rate limits of log messages; used by workers. */
	struct relay_log_kind bad_handshakes, bad_proxies, dataless_records,
		no_accept, no_memory, no_place, no_answer;

	struct question_places questions; /* all threads */

	atomic_bool moves_held; /* no session may move; workers read it */

	/* It was logged that bulk data is copied: splice(2) is refused, or
	 * pipes are. */
	atomic_bool no_splice, no_pipes;

	/* For stop.c. */
	int64_t stop_until_ms;
	atomic_uint stop_cut; /* connections that were cut off; workers add */
	struct posts
		stop_done; /* added to by each worker that has nothing left */
};

/* The state of the calling thread's server. */
static inline struct peers_shared *peers_shared(void)
{
	return instance->peers;
}

/* [C]  0, or -1 without memory. */
int peers_shared_create(void);
/* [C]  Call it after listeners_finish().  Accepts a state that was not made. */
void peers_shared_destroy(void);

#endif

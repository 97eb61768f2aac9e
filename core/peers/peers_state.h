/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A worker's state for its connections and sessions.  Only the worker's own
 * thread uses it, unless a member says otherwise.
 */
#ifndef PEERS_STATE_H
#define PEERS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/bio.h>

#include "base/object_table.h"
#include "peers/linger_places.h"
#include "peers/pipes.h"
#include "peers/strangers_state.h"
#include "workers/worker.h"

struct asking;
struct linger_record;
struct conn_move;
struct proxy_waiting;
struct relay_conn;
struct relay_session;

/* How much of the worker's time handshakes take, see handshakes.c. */
struct handshake_slice {
	int64_t since_us; /* start of the time slice */
	int64_t spent_us;
};

struct peers {
	struct worker worker; /* first, see peers_of() */

	struct object_table conns;
	struct object_table sessions;

	struct pipe_pool pipes;
	unsigned char *buffer; /* owned; of buffer_len bytes, for every read */
	size_t buffer_len;
	int socket_buffer; /* size limit on sockets of sessions; 0: none */

	BIO *tls_io; /* owned, see tls.h */
	struct handshake_slice handshakes;
	struct strangers strangers;

	/* Deferred work: connections to be read again, see conn_reread.h. */
	struct relay_conn *reread;
	/* Sessions with bytes to move, in order, see session_queue.h. */
	struct relay_session *ready;
	struct relay_session **ready_end;
	struct relay_session *paused; /* sessions that were granted nothing */
	struct relay_session *departing; /* by ready_next, see session_move.h */
	struct event *pause_timer;       /* owned */
	int64_t pause_due_ms; /* when pause_timer fires; INT64_MAX: not armed */

	/* List: connections that wait for a header, see proxy_accept.h. */
	struct proxy_waiting *proxies_oldest, *proxies_newest;
	unsigned proxies_waiting; /* its length */

	struct conn_move *leaving; /* list: moves to other workers */
	struct relay_conn
		*dead; /* list: freed when the current event is over */
	unsigned lingering_count;             /* length of the list below */
	struct linger_record *lingering_list; /* owned by its connections */
	struct linger_places places;

	/* Questions whose answer takes time, see question.c. */
	struct asking *asking; /* borrowed: the filter that runs; or NULL */
	uint64_t questions;    /* how many have waited so far */
	int64_t answer_timeout_ms;

	bool stopping; /* nothing new is accepted */
	/* While stopping, last bytes are delivered until then, see stop.c. */
	int64_t grace_until_ms;
	struct event *stop_timer; /* owned */
};

static inline struct peers *peers_of(struct worker *worker)
{
	return (struct peers *)worker;
}

static inline struct peers *peers_of_loop(struct loop *loop)
{
	return peers_of(worker_of(loop));
}

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Workers: threads that each own a loop, connections, sessions and a hook set.
 */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

#include <openssl/bio.h>

#include "peers/handshakes.h"
#include "modules/hooks.h"
#include "loop/loop.h"
#include "base/object_table.h"
#include "peers/pipes.h"
#include "peers/strangers.h"
#include "base/wheel.h"

struct metrics_shard;
struct passage;

struct worker {
	struct loop loop; /* first: a loop of index >= 0 is a worker's */
	pthread_t thread;
	bool running; /* the thread exists; [C] */

	struct hook_set *hooks; /* owned; replaced by worker_adopt */
	struct metrics_shard *shard;

	struct object_table conns;
	struct object_table sessions;
	struct wheel wheel; /* deadlines of connections, idle sessions */
	struct event *wheel_timer;
	int64_t wheel_due_ms; /* when wheel_timer fires; INT64_MAX: not armed */

	struct pipe_pool pipes;
	unsigned char *buffer; /* of buffer_len bytes, for every read */
	size_t buffer_len;
	int socket_buffer; /* bound on the sockets of sessions; 0: none */

	BIO *tls_io; /* owned, see tls.h */
	struct handshakes handshakes;
	struct strangers strangers;
	/* Work for the next turn; see turn.c. */
	struct relay_conn *again;     /* list: conn_readable is due again */
	struct relay_session *hungry; /* list, in order: bytes are left */
	struct relay_session **hungry_end;
	struct event *next_turn;
	struct relay_session *paused; /* list: nothing was granted */
	struct event *pause_timer;
	int64_t pause_due_ms; /* when pause_timer fires; INT64_MAX: not armed */

	struct passage *leaving; /* list: on their way to other workers */
	struct relay_conn
		*dead;      /* list: freed when the current event is over */
	unsigned lingering; /* connections that deliver their last bytes */
	bool stopping;      /* nothing new is taken in */
	/* While stopping, last bytes are delivered until then; see stop.c. */
	int64_t grace_until_ms;
	struct event *stop_timer;
};

static inline struct worker *worker_of(struct loop *loop)
{
	return (struct worker *)loop;
}

/* A time limit on something that a worker owns. */
struct deadline {
	struct wheel_entry entry; /* first: an entry is a deadline */
	void (*due)(struct deadline *self);
};

/* Sets or moves it; it comes at most 0.2 s late. */
void worker_deadline(
	struct worker *worker, struct deadline *deadline, int64_t at_ms);
void worker_deadline_clear(struct worker *worker, struct deadline *deadline);

/* For wheel_advance: calls what the entry's deadline is for. */
void worker_deadline_due(struct wheel_entry *entry, void *arg);

struct worker_conf {
	unsigned count;
	size_t network_buffer;
	size_t pipe_size;
	int socket_buffer;
};

/* [C]  Makes them, without threads; metrics must exist.  0 or -1 logged. */
int workers_create(const struct worker_conf *conf);
/* [C]  Starts the threads.  0 or -1 logged. */
int workers_run(void);
/* [C]  Closes every object with RELAY_END_STOP, ends and joins the threads. */
void workers_stop(void);
/* [C]  Frees what workers_create made. */
void workers_destroy(void);

/* [C]  Tells the module host of them, before modules start. */
void workers_introduce(void);

unsigned workers_count(void);
struct worker *workers_get(unsigned i);

/*
 * [C]  Runs fn on every worker's own thread between two events and waits for
 * all; before workers_run, on the calling thread.  Returns how many returned
 * other than 0.
 */
unsigned workers_call(int (*fn)(struct worker *worker, void *arg), void *arg);

/* Own thread.  Calls the module's conn_reload and session_reload hooks. */
void worker_tell_reload(struct worker *worker, struct relay_module *mod);

/*
 * Own thread.  Tells the leaving modules that each of their live objects is
 * gone to them (RELAY_END_WITHDRAWN), in reverse order, then takes `next`.
 * Returns the old set, for the caller to free at once.
 */
struct hook_set *worker_adopt(struct worker *worker, struct hook_set *next,
	struct relay_module *const *leaving, size_t n);

#endif

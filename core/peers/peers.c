/* SPDX-License-Identifier: MPL-2.0 */

/* Makes, changes and ends a worker's state for connections and sessions. */

#include <stdlib.h>

#include "log/log.h"
#include "net/capacity.h"
#include "peers/conn_destroy.h"
#include "peers/conn_end.h"
#include "peers/conn_event.h"
#include "peers/conn_move.h"
#include "peers/handshakes.h"
#include "peers/listeners.h"
#include "peers/peers.h"
#include "peers/peers_shared.h"
#include "peers/peers_state.h"
#include "peers/proxy_accept.h"
#include "peers/strangers.h"
#include "peers/session.h"
#include "peers/session_end.h"
#include "peers/session_move.h"
#include "peers/session_queue.h"
#include "tls/tls_conn.h"
#include "tls/tls_random.h"
#include "workers/deadlines.h"
#include "workers/workers.h"

/* Ends what is still on a list of deferred work. */
static void end_deferred(struct peers *peers)
{
	struct worker *worker = &peers->worker;

	peers->stopping = true;
	peers->grace_until_ms = 0;
	/* Lingering connections are on no such list: let them time out. */
	deadlines_expire(worker);
	sessions_resume(worker);
	(void)sessions_run(worker);
	(void)conns_reread(worker);
	while (handshakes_run(worker))
		;
	conn_send_off(worker);
	conn_reap(worker);
	event_free(peers->pause_timer);
	peers->pause_timer = NULL;
}

static void finish(struct worker *worker)
{
	struct peers *peers = peers_of(worker);

	listeners_close(worker);
	proxy_waiting_end(worker);
	if (peers->pause_timer)
		end_deferred(peers);
	if (peers->stop_timer)
		event_free(peers->stop_timer);
	pipe_pool_finish(&peers->pipes);
	strangers_finish(&peers->strangers);
	object_table_finish(&peers->conns);
	object_table_finish(&peers->sessions);
	free(peers->buffer);
	BIO_free(peers->tls_io);
}

static void event_over(struct loop *loop)
{
	struct worker *worker = worker_of(loop);

	if (peers_of(worker)->departing)
		sessions_send_off(worker);
	if (peers_of(worker)->leaving)
		conn_send_off(worker);
	conn_reap(worker);
}

static int init(struct worker *worker, const void *arg)
{
	struct peers *peers = peers_of(worker);
	const struct peers_conf *conf = arg;

	object_table_init(&peers->conns, 0, (uint32_t)worker->loop.index);
	object_table_init(&peers->sessions, 1, (uint32_t)worker->loop.index);
	pipe_pool_init(&peers->pipes, conf->pipe_size,
		capacity_pipes() / conf->workers);
	peers->socket_buffer = conf->socket_buffer;
	peers->answer_timeout_ms = conf->answer_timeout_ms;
	peers->buffer_len = conf->network_buffer;
	peers->buffer = malloc(conf->network_buffer);
	peers->tls_io = tls_io_new();
	if (strangers_init(&peers->strangers, loop_clock_ms()) != 0 ||
		!peers->buffer || !peers->tls_io)
		return -1;
	peers->places.seed = peers->strangers.seed;
	return session_queue_init(worker);
}

static void stop_session(void *object, void *arg)
{
	(void)arg;
	session_end(object, RELAY_END_STOP);
}

static void stop_conn(void *object, void *arg)
{
	(void)arg;
	conn_end(object, RELAY_END_STOP);
}

static void stop(struct worker *worker)
{
	struct peers *peers = peers_of(worker);

	peers->stopping = true;
	peers->grace_until_ms = 0;
	listeners_close(worker);
	proxy_waiting_end(worker);
	object_table_each(&peers->sessions, stop_session, NULL);
	object_table_each(&peers->conns, stop_conn, NULL);
}

int peers_create(const struct peers_conf *conf)
{
	static const struct workers_calls calls = {
		.size = sizeof(struct peers),
		.init = init,
		.finish = finish,
		.stop = stop,
		.event_over = event_over,
		.deferred = {{conns_reread, sessions_run, handshakes_run}},
	};

	if (tls_random_fill((unsigned char *)&peers_shared()->questions.seed,
		    sizeof(uint64_t)) != 0) {
		log_core(RELAY_ERROR, "no random numbers for the workers");
		return -1;
	}
	return workers_create(conf->workers, &calls, conf);
}

void peers_change(struct worker *worker, const struct peers_conf *conf,
	unsigned char *buffer)
{
	struct peers *peers = peers_of(worker);

	if (buffer) {
		free(peers->buffer);
		peers->buffer = buffer;
		peers->buffer_len = conf->network_buffer;
	}
	peers->socket_buffer = conf->socket_buffer;
	peers->answer_timeout_ms = conf->answer_timeout_ms;
	pipe_pool_change(&peers->pipes, conf->pipe_size,
		capacity_pipes() / conf->workers);
}

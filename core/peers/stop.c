/* SPDX-License-Identifier: MPL-2.0 */

/* The graceful stop: ends connections within a grace period. */

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "log/log.h"
#include "peers/conn_end.h"
#include "peers/conn_state.h"
#include "peers/listeners.h"
#include "peers/peers_shared.h"
#include "peers/peers_state.h"
#include "peers/proxy_accept.h"
#include "peers/session.h"
#include "peers/stop.h"
#include "workers/workers.h"

/* How often a worker checks whether its connections have ended. */
#define LOOK_MS 20
/* How long after the grace period a worker may still report. */
#define LATE_MS          5000
#define SECOND_CHANCE_MS 1000

static uint32_t left(struct worker *worker)
{
	struct peers *peers = peers_of(worker);

	return peers->conns.count + peers->lingering_count;
}

static void look(evutil_socket_t fd, short what, void *arg)
{
	struct peers_shared *room = peers_shared();
	static const struct timeval wait = {0, LOOK_MS * 1000};
	struct worker *worker = arg;
	int64_t now = loop_tick(&worker->loop);

	(void)fd;
	(void)what;
	if (left(worker) && now < room->stop_until_ms &&
		evtimer_add(peers_of(worker)->stop_timer, &wait) == 0)
		return;
	atomic_fetch_add(&room->stop_cut, left(worker));
	posts_add(&room->stop_done);
}

static void wind_up(void *object, void *arg)
{
	(void)arg;
	session_wind_up(object);
}

static void end_conn(void *object, void *arg)
{
	struct relay_conn *conn = object;

	(void)arg;
	if (conn->phase != CONN_PAIRED)
		conn_end(conn, RELAY_END_STOP);
}

static int begin(struct worker *worker, void *arg)
{
	struct peers_shared *room = peers_shared();
	struct peers *peers = peers_of(worker);

	(void)arg;
	peers->stopping = true;
	peers->grace_until_ms = room->stop_until_ms;
	listeners_close(worker);
	proxy_waiting_end(worker);
	object_table_each(&peers->sessions, wind_up, NULL);
	object_table_each(&peers->conns, end_conn, NULL);
	peers->stop_timer = evtimer_new(worker->loop.base, look, worker);
	if (!peers->stop_timer)
		posts_add(&room->stop_done);
	else
		event_active(peers->stop_timer, 0, 0);
	return 0;
}

static void begin_here(struct loop *loop, void *arg)
{
	(void)begin(worker_of(loop), arg);
}

/* Whether a worker has posted stop_done in time.  A process that was suspended
 * meanwhile gets a second chance. */
static bool await_one(const struct peers_shared *room, bool *late)
{
	int64_t until_ms = room->stop_until_ms + LATE_MS;

	for (;;) {
		if (posts_take(&peers_shared()->stop_done, until_ms))
			return true;
		if (*late)
			return false;
		*late = true;
		until_ms = loop_clock_ms() + SECOND_CHANCE_MS;
	}
}

int stop_within(int64_t grace_ms)
{
	struct peers_shared *room = peers_shared();
	unsigned count = workers_count();
	bool late = false;

	if (grace_ms <= 0 || count == 0 || !workers_get(0)->running ||
		posts_init(&room->stop_done) != 0)
		return 0;
	room->stop_until_ms = loop_clock_ms() + grace_ms;
	for (unsigned i = 0; i < count; i++)
		loop_call(&workers_get(i)->loop, begin_here, NULL);
	for (unsigned i = 0; i < count; i++)
		if (!await_one(room, &late))
			return -1;
	posts_finish(&room->stop_done);
	if (room->stop_cut)
		log_core(RELAY_NOTICE,
			"%u connections did not take their last bytes within "
			"%" PRId64 " ms",
			room->stop_cut, grace_ms);
	return 0;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Sessions that wait for the next iteration of the loop, or for a grant. */

#include <stdlib.h>

#include "base/time_span.h"
#include "loop/event_later.h"
#include "peers/peers_state.h"
#include "peers/session_state.h"
#include "peers/session_queue.h"
#include "workers/deferred.h"

void session_queue_add(struct relay_session *session)
{
	struct worker *worker = session->worker;
	struct peers *peers = peers_of(worker);

	if (session->ready)
		return;
	session->ready = true;
	session->ready_next = NULL;
	*peers->ready_end = session;
	peers->ready_end = &session->ready_next;
	deferred_arm(worker);
}

static int64_t resumes_at(const struct relay_session *session)
{
	int64_t a = session->flow[0].resume_ms, b = session->flow[1].resume_ms;

	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

static void arm_pause(struct worker *worker, int64_t at_ms)
{
	struct peers *peers = peers_of(worker);
	int64_t wait_ms = at_ms - loop_clock_ms();
	struct timeval wait;

	if (at_ms >= peers->pause_due_ms)
		return;
	peers->pause_due_ms = at_ms;
	if (wait_ms < 0)
		wait_ms = 0;
	wait = time_span_val(wait_ms);
	event_later(peers->pause_timer, &wait);
}

void session_queue_pause(struct relay_session *session)
{
	struct worker *worker = session->worker;
	struct peers *peers = peers_of(worker);

	if (!session->paused) {
		session->paused = true;
		session->paused_next = peers->paused;
		session->paused_at = &peers->paused;
		if (peers->paused)
			peers->paused->paused_at = &session->paused_next;
		peers->paused = session;
	}
	arm_pause(worker, resumes_at(session));
}

void session_queue_leave(struct relay_session *session)
{
	if (!session->paused)
		return;
	session->paused = false;
	*session->paused_at = session->paused_next;
	if (session->paused_next)
		session->paused_next->paused_at = session->paused_at;
}

void sessions_resume(struct worker *worker)
{
	struct peers *peers = peers_of(worker);
	struct relay_session *list = peers->paused;
	int64_t now = loop_tick(&worker->loop);

	peers->paused = NULL;
	peers->pause_due_ms = INT64_MAX;
	while (list) {
		struct relay_session *session = list;

		list = session->paused_next;
		session->paused = false;
		if (session->dead) {
			if (!session->ready)
				session_free(session);
		} else if (resumes_at(session) <= now) {
			session_queue_add(session);
		} else {
			session_queue_pause(session);
		}
	}
}

void session_free(struct relay_session *session)
{
	layout_leave(session->layout);
	free(session);
}

static void pause_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sessions_resume(arg);
}

int session_queue_init(struct worker *worker)
{
	struct peers *peers = peers_of(worker);

	peers->ready_end = &peers->ready;
	peers->pause_due_ms = INT64_MAX;
	peers->pause_timer = evtimer_new(worker->loop.base, pause_over, worker);
	return peers->pause_timer ? 0 : -1;
}

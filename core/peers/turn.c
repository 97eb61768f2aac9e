/* SPDX-License-Identifier: MPL-2.0 */

/* A worker's next turn: work that was cut short so that others get their share.
 */

#include "peers/conn.h"
#include "peers/session.h"
#include "peers/turn.h"
#include "peers/worker.h"

/*
 * A timer of no delay, not an active event: libevent polls the sockets before
 * timers run, so whatever arrived meanwhile has its turn first.
 */
void turn_arm(struct worker *worker)
{
	static const struct timeval now = {0, 0};

	if (!evtimer_pending(worker->next_turn, NULL))
		evtimer_add(worker->next_turn, &now);
}

void turn_add_conn(struct relay_conn *conn)
{
	if (conn->again)
		return;
	conn->again = true;
	conn->again_next = conn->worker->again;
	conn->worker->again = conn;
	turn_arm(conn->worker);
}

void turn_add_session(struct relay_session *session)
{
	struct worker *worker = session->worker;

	if (session->hungry)
		return;
	session->hungry = true;
	session->hungry_next = NULL;
	*worker->hungry_end = session;
	worker->hungry_end = &session->hungry_next;
	turn_arm(worker);
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
	int64_t wait_ms = at_ms - loop_clock_ms();
	struct timeval wait;

	if (at_ms >= worker->pause_due_ms)
		return;
	worker->pause_due_ms = at_ms;
	if (wait_ms < 0)
		wait_ms = 0;
	wait.tv_sec = wait_ms / 1000;
	wait.tv_usec = wait_ms % 1000 * 1000;
	evtimer_add(worker->pause_timer, &wait);
}

void turn_pause_session(struct relay_session *session)
{
	struct worker *worker = session->worker;

	if (!session->paused) {
		session->paused = true;
		session->paused_next = worker->paused;
		worker->paused = session;
	}
	arm_pause(worker, resumes_at(session));
}

static void resume(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	struct relay_session *list = worker->paused;
	int64_t now = loop_tick(&worker->loop);

	(void)fd;
	(void)what;
	worker->paused = NULL;
	worker->pause_due_ms = INT64_MAX;
	while (list) {
		struct relay_session *session = list;

		list = session->paused_next;
		session->paused = false;
		if (session->dead) {
			if (!session->hungry)
				session_free(session);
		} else if (resumes_at(session) <= now) {
			turn_add_session(session);
		} else {
			turn_pause_session(session);
		}
	}
}

static void run_again(struct worker *worker)
{
	struct relay_conn *list = worker->again;

	worker->again = NULL;
	while (list) {
		struct relay_conn *conn = list;

		list = conn->again_next;
		conn->again = false;
		if (conn->phase != CONN_DEAD)
			conn_run_again(conn);
	}
}

static void run_hungry(struct worker *worker)
{
	struct relay_session *list = worker->hungry;

	worker->hungry = NULL;
	worker->hungry_end = &worker->hungry;
	while (list) {
		struct relay_session *session = list;

		list = session->hungry_next;
		session->hungry = false;
		if (!session->dead)
			session_run(session);
		else if (!session->paused)
			session_free(session);
	}
}

static void next_turn(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;

	(void)fd;
	(void)what;
	loop_tick(&worker->loop);
	run_again(worker);
	run_hungry(worker);
	if (handshakes_run(worker))
		turn_arm(worker);
	loop_event_over(&worker->loop);
}

int turn_init(struct worker *worker)
{
	worker->hungry_end = &worker->hungry;
	worker->pause_due_ms = INT64_MAX;
	worker->next_turn = evtimer_new(worker->loop.base, next_turn, worker);
	worker->pause_timer = evtimer_new(worker->loop.base, resume, worker);
	return worker->next_turn && worker->pause_timer ? 0 : -1;
}

void turn_finish(struct worker *worker)
{
	/* Sessions that ended while a list held them. */
	if (worker->pause_timer) {
		worker->stopping = true;
		worker->grace_until_ms = 0;
		/* What lingers is on no other list: its time is over now. */
		wheel_advance(&worker->wheel, INT64_MAX - 1,
			worker_deadline_due, NULL);
		resume(-1, 0, worker);
		run_hungry(worker);
		run_again(worker);
		while (handshakes_run(worker))
			;
		conn_reap(worker);
		event_free(worker->pause_timer);
	}
	if (worker->next_turn)
		event_free(worker->next_turn);
	worker->pause_timer = NULL;
	worker->next_turn = NULL;
}

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Whose event each loop handles.  A connection that arrives at another worker
 * belongs to it at once; so the event in which it was sent off must be over.
 *
 * The linker sends the server's calls of these functions here.
 */

#include <stdbool.h>
#include <stddef.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "peers/conn_state.h"
#include "workers/worker.h"

#include "sim.h"

/* Loops that handle an event at a time: one, and those that interrupt it. */
#define DEPTH 16

static struct handled {
	const struct relay_conn *conn;
	const struct loop *loop;
	bool over; /* only what comes after the event is left */
} stack[DEPTH];
static unsigned depth;

static event_callback_fn conn_event; /* the server's own */
static bool watching;

static void handle(evutil_socket_t fd, short what, void *arg)
{
	const struct relay_conn *conn = arg;

	if (depth == DEPTH)
		sim_die("more than %d loops handle events", DEPTH);
	stack[depth++] = (struct handled){conn, &conn->worker->loop, false};
	conn_event(fd, what, arg);
	depth--;
}

int __real_event_assign(struct event *event, struct event_base *base,
	evutil_socket_t fd, short what, event_callback_fn fn, void *arg);
int __wrap_event_assign(struct event *event, struct event_base *base,
	evutil_socket_t fd, short what, event_callback_fn fn, void *arg);
int __wrap_event_assign(struct event *event, struct event_base *base,
	evutil_socket_t fd, short what, event_callback_fn fn, void *arg)
{
	if (watching) {
		conn_event = fn;
		fn = handle;
	}
	return __real_event_assign(event, base, fd, what, fn, arg);
}

/* When a connection is accepted, and when it arrives from another worker. */
int __real_conn_watch(struct relay_conn *conn);
int __wrap_conn_watch(struct relay_conn *conn);
int __wrap_conn_watch(struct relay_conn *conn)
{
	int result;

	for (unsigned i = 0; i < depth; i++)
		if (stack[i].conn == conn && !stack[i].over)
			sim_die("a connection arrives at another worker while "
				"its event is still handled");
	watching = true;
	result = __real_conn_watch(conn);
	watching = false;
	return result;
}

/* After each event of a worker. */
void __real_conn_send_off(struct worker *worker);
void __wrap_conn_send_off(struct worker *worker);
void __wrap_conn_send_off(struct worker *worker)
{
	if (depth && stack[depth - 1].loop == &worker->loop)
		stack[depth - 1].over = true;
	__real_conn_send_off(worker);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Bulk load on two threads. */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "bulk.h"
#include "marks.h"
#include "meter.h"
#include "pattern.h"

#define RECEIVE_SIZE 262144
#define STOP_POLL_US 20000
#define BACKGROUND   10 /* added to the nice value */

enum side { CLIENT, SERVER, SIDES };

/* One socket, which sends a stream, receives the opposite one, or both. */
struct end {
	struct bulk_thread *thread;
	int fd;
	unsigned
		stream; /* the one sent; the opposite direction is stream ^ 1 */
	struct event reading, writing;
	struct marks *marks; /* borrowed; NULL: delays are not measured */
	uint64_t sent;
	_Atomic uint64_t received;
};

struct bulk_thread {
	struct bulk *bulk;
	pthread_t thread;
	bool running;
	struct event_base *base;
	struct event *stop_timer;
	struct end *ends;
	uint8_t *buffer;
};

struct bulk {
	struct bulk_plan plan;
	struct tally *tally; /* borrowed */
	size_t count;
	_Atomic bool stopping, timing;
	struct marks *marks; /* one of each pair; NULL without delays */
	struct bulk_thread threads[SIDES];
};

static void fail(struct end *end, enum failure why)
{
	event_del(&end->reading);
	event_del(&end->writing);
	tally_add(end->thread->bulk->tally, why);
}

/* One write, or the rest of it. */
static void send_some(evutil_socket_t fd, short what, void *arg)
{
	struct end *end = arg;
	const struct bulk_plan *plan = &end->thread->bulk->plan;
	size_t left = plan->write_size - (size_t)(end->sent % plan->write_size);
	int64_t begin_ns = end->marks ? meter_now_ns() : 0;
	ssize_t n;

	(void)what;
	/*
	 * Sends the same bytes each time unless they are checked, so that the
	 * load's own memory traffic does not affect the figures.
	 */
	n = send(fd, pattern_at(end->stream, plan->check ? end->sent : 0), left,
		MSG_NOSIGNAL);
	if (n > 0) {
		end->sent += (uint64_t)n;
		if (end->marks)
			marks_sent(end->marks, end->sent, begin_ns);
	} else if (errno != EAGAIN) {
		fail(end, failure_of_errno(errno));
	}
}

static void time_arrivals(struct end *end, uint64_t received)
{
	struct bulk *bulk = end->thread->bulk;
	const bool counts =
		atomic_load_explicit(&bulk->timing, memory_order_relaxed);

	marks_received(end->marks, received, meter_now_ns(),
		counts ? bulk->plan.delays : NULL);
}

static void receive_some(evutil_socket_t fd, short what, void *arg)
{
	struct end *end = arg;
	uint64_t received =
		atomic_load_explicit(&end->received, memory_order_relaxed);
	ssize_t n = recv(fd, end->thread->buffer, RECEIVE_SIZE, 0);

	(void)what;
	if (n > 0) {
		if (end->thread->bulk->plan.check &&
			!pattern_fits(end->stream ^ 1U, received,
				end->thread->buffer, (size_t)n))
			fail(end, FAILURE_DATA);
		atomic_store_explicit(&end->received, received + (uint64_t)n,
			memory_order_relaxed);
		if (end->marks)
			time_arrivals(end, received + (uint64_t)n);
	} else if (n == 0) {
		fail(end, FAILURE_CLOSED);
	} else if (errno != EAGAIN) {
		fail(end, failure_of_errno(errno));
	}
}

static void look_for_stop(evutil_socket_t fd, short what, void *arg)
{
	struct bulk_thread *thread = arg;

	(void)fd;
	(void)what;
	if (atomic_load(&thread->bulk->stopping))
		event_base_loopbreak(thread->base);
}

static void *run(void *arg)
{
	struct bulk_thread *thread = arg;

	/* On Linux this applies to the thread only. */
	if (thread->bulk->plan.background)
		(void)setpriority(PRIO_PROCESS, 0, BACKGROUND);
	event_base_dispatch(thread->base);
	return NULL;
}

static void prepare_end(struct end *end, bool sends, bool receives)
{
	event_assign(&end->reading, end->thread->base, end->fd,
		EV_READ | EV_PERSIST, receive_some, end);
	event_assign(&end->writing, end->thread->base, end->fd,
		EV_WRITE | EV_PERSIST, send_some, end);
	if (sends)
		event_add(&end->writing, NULL);
	if (receives)
		event_add(&end->reading, NULL);
}

static int prepare_loop(struct bulk_thread *thread)
{
	const struct timeval poll = {0, STOP_POLL_US};

	thread->base = event_base_new();
	thread->ends = calloc(thread->bulk->count, sizeof(*thread->ends));
	thread->buffer = malloc(RECEIVE_SIZE);
	if (!thread->base || !thread->ends || !thread->buffer)
		return -1;
	thread->stop_timer =
		event_new(thread->base, -1, EV_PERSIST, look_for_stop, thread);
	return thread->stop_timer ? event_add(thread->stop_timer, &poll) : -1;
}

static int start_thread(
	struct bulk_thread *thread, enum side side, const struct pair *pairs)
{
	const bool both = thread->bulk->plan.both_ways;

	if (prepare_loop(thread))
		return -1;
	for (size_t i = 0; i < thread->bulk->count; i++) {
		struct end *end = &thread->ends[i];

		end->thread = thread;
		end->fd = side == CLIENT ? pairs[i].client : pairs[i].server;
		end->stream = (unsigned)(2 * i) + side;
		end->marks =
			thread->bulk->marks ? &thread->bulk->marks[i] : NULL;
		prepare_end(
			end, both || side == CLIENT, both || side == SERVER);
	}
	if (pthread_create(&thread->thread, NULL, run, thread))
		return -1;
	thread->running = true;
	return 0;
}

struct bulk *bulk_start(const struct pair *pairs, size_t count,
	const struct bulk_plan *plan, struct tally *tally)
{
	struct bulk *bulk = calloc(1, sizeof(*bulk));

	if (!bulk)
		return NULL;
	bulk->plan = *plan;
	bulk->tally = tally;
	bulk->count = count;
	if (plan->delays)
		bulk->marks = calloc(count, sizeof(*bulk->marks));
	if (plan->delays && !bulk->marks) {
		free(bulk);
		return NULL;
	}
	for (int side = 0; side < SIDES; side++) {
		bulk->threads[side].bulk = bulk;
		if (start_thread(
			    &bulk->threads[side], (enum side)side, pairs)) {
			fprintf(stderr, "relay-load: no thread\n");
			bulk_stop(bulk);
			return NULL;
		}
	}
	return bulk;
}

void bulk_read(const struct bulk *bulk, uint64_t *received)
{
	for (size_t i = 0; i < bulk->count; i++) {
		received[i] = 0;
		for (int side = 0; side < SIDES; side++)
			received[i] += atomic_load_explicit(
				&bulk->threads[side].ends[i].received,
				memory_order_relaxed);
	}
}

void bulk_time(struct bulk *bulk)
{
	atomic_store(&bulk->timing, true);
}

static void finish_thread(struct bulk_thread *thread)
{
	if (thread->running)
		pthread_join(thread->thread, NULL);
	if (thread->stop_timer)
		event_free(thread->stop_timer);
	/* Ends need no cleanup: freeing the loop frees their events. */
	if (thread->base)
		event_base_free(thread->base);
	free(thread->ends);
	free(thread->buffer);
}

void bulk_stop(struct bulk *bulk)
{
	if (!bulk)
		return;
	atomic_store(&bulk->stopping, true);
	for (int side = 0; side < SIDES; side++)
		finish_thread(&bulk->threads[side]);
	free(bulk->marks);
	free(bulk);
}

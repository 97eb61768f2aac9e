/* SPDX-License-Identifier: MPL-2.0 */

/* Repeated sessions that are filled. */

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jam.h"
#include "meter.h"
#include "pairs.h"

#define FILL_MS 400  /* duration of a round whose sessions end */
#define REST_MS 50   /* after a round that failed */
#define LEFT    4096 /* sockets that outlive their sessions */

struct end {
	struct jam *jam;
	struct event writing, reading, again;
	int fd;
};

struct jam {
	struct siege *siege;
	const struct jam_plan *plan;
	struct jam_counts *counts;
	struct pairs pairs;
	struct end *ends;
	int left[LEFT];
	size_t lefts;
	int64_t until_ns;
	uint8_t buffer[65536];
};

static void writable(evutil_socket_t fd, short what, void *arg)
{
	struct end *end = arg;
	ssize_t n = send(fd, pattern_at(0, 0), 65536, MSG_NOSIGNAL);

	(void)what;
	if (n > 0)
		end->jam->counts->sent_bytes += (uint64_t)n;
	else if (errno != EAGAIN)
		event_del(&end->writing);
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct end *end = arg;
	struct jam *jam = end->jam;
	ssize_t n = recv(fd, jam->buffer, sizeof(jam->buffer), 0);

	(void)what;
	if (n > 0)
		jam->counts->received_bytes += (uint64_t)n;
	else if (n == 0 || errno != EAGAIN)
		event_del(&end->reading);
}

static void again(evutil_socket_t fd, short what, void *arg)
{
	struct end *end = arg;
	const int64_t ms = end->jam->plan->byte_ms;
	const struct timeval pause = {
		(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

	(void)fd;
	(void)what;
	if (send(end->fd, "x", 1, MSG_NOSIGNAL) == 1)
		end->jam->counts->sent_bytes++;
	event_add(&end->again, &pause);
}

static void watch(struct jam *jam, struct end *end, int fd, bool is_quiet)
{
	end->jam = jam;
	end->fd = fd;
	event_assign(&end->writing, jam->siege->bench.base, fd,
		EV_WRITE | EV_PERSIST, writable, end);
	event_assign(&end->again, jam->siege->bench.base, -1, 0, again, end);
	event_assign(&end->reading, jam->siege->bench.base, fd,
		EV_READ | EV_PERSIST, readable, end);
	if (is_quiet) {
		again(-1, 0, end);
		return;
	}
	event_add(&end->writing, NULL);
	if (jam->plan->reads || jam->plan->byte_ms)
		event_add(&end->reading, NULL);
}

static void keep(struct jam *jam, int fd)
{
	if (jam->lefts == LEFT) {
		for (size_t i = 0; i < LEFT; i++)
			close(jam->left[i]);
		jam->lefts = 0;
	}
	jam->left[jam->lefts++] = fd;
}

/* One side closes; the other stays open with unread data. */
static void finish_round(struct jam *jam)
{
	struct pairs *pairs = &jam->pairs;

	for (size_t i = 0; i < 2 * pairs->count; i++) {
		event_del(&jam->ends[i].writing);
		event_del(&jam->ends[i].reading);
		event_del(&jam->ends[i].again);
	}
	if (jam->plan->ends) {
		for (size_t i = 0; i < pairs->count; i++) {
			close(pairs->list[i].client);
			keep(jam, pairs->list[i].server);
		}
		pairs->count = 0;
	}
	pairs_finish(pairs);
}

static int64_t left_ms(const struct jam *jam)
{
	if (jam->siege->stopped)
		return 0;
	return (jam->until_ns - meter_now_ns()) / 1000000;
}

static void one_round(struct jam *jam)
{
	struct bench *bench = &jam->siege->bench;
	int64_t ms;

	if (pairs_make(&jam->pairs, bench, jam->plan->count)) {
		jam->counts->failed++;
		pairs_finish(&jam->pairs);
		bench_run_for(bench, REST_MS);
		return;
	}
	jam->counts->sessions += jam->pairs.count;
	for (size_t i = 0; i < jam->pairs.count; i++) {
		watch(jam, &jam->ends[2 * i], jam->pairs.list[i].client, false);
		watch(jam, &jam->ends[2 * i + 1], jam->pairs.list[i].server,
			jam->plan->byte_ms != 0);
	}
	ms = left_ms(jam);
	bench_run_for(bench, jam->plan->ends && ms > FILL_MS ? FILL_MS : ms);
	finish_round(jam);
}

void jam_run(struct siege *siege, const struct jam_plan *plan,
	struct jam_counts *counts)
{
	struct jam *jam = calloc(1, sizeof(*jam));

	if (!jam)
		return;
	jam->siege = siege;
	jam->plan = plan;
	jam->counts = counts;
	jam->until_ns = meter_now_ns() + siege->seconds_ms * 1000000;
	jam->ends = calloc(2 * plan->count, sizeof(*jam->ends));
	while (jam->ends && left_ms(jam) > 0 && !siege->bench.limit_passed)
		one_round(jam);
	for (size_t i = 0; i < jam->lefts; i++)
		close(jam->left[i]);
	free(jam->ends);
	free(jam);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Measures a session with both ends in this process. */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_state.h"
#include "loopback.h"

#define ROUNDS      10
#define ROUND_LEN   32
#define FAST_US     1000000
#define BUFFER      ((size_t)256 * 1024)
#define PATTERN_LEN 251 /* prime, so that shifted data is detected */

enum phase { THERE, BACK, FAST };

struct loopback {
	const struct loopback_handlers *handlers;
	void *arg;
	int one, other; /* owned */
	struct event *one_readable, *other_readable, *writable, *patience;
	struct timeval timeout;
	enum phase phase;
	unsigned rounds;
	size_t have; /* received bytes of the round */
	int64_t begin_us, best_us;
	uint64_t sent, received;
	uint8_t in[BUFFER];
	uint8_t pattern[BUFFER + PATTERN_LEN];
};

static void fail(struct loopback *l, const char *what)
{
	(void)event_del(l->one_readable);
	(void)event_del(l->other_readable);
	(void)event_del(l->writable);
	(void)event_del(l->patience);
	l->handlers->failed(what, l->arg);
}

static void be_patient(struct loopback *l)
{
	(void)evtimer_add(l->patience, &l->timeout);
}

/* Fills in the pattern at a position of the stream. */
static const uint8_t *pattern_at(const struct loopback *l, uint64_t at)
{
	return l->pattern + at % PATTERN_LEN;
}

/*
 * Reads available data, up to max. -1 if there is none, or if it has failed and
 * was freed (*failed).
 */
static ssize_t receive(struct loopback *l, int fd, size_t max, bool *failed)
{
	ssize_t n = recv(fd, l->in, max, MSG_DONTWAIT);

	*failed = false;
	if (n > 0) {
		be_patient(l);
		return n;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -1;
	*failed = true;
	fail(l, n ? strerror(errno) : "the relay ended the session");
	return -1;
}

/* False on failure. */
static bool send_round(struct loopback *l, int fd)
{
	/* So few bytes always fit into an empty socket buffer. */
	if (send(fd, l->pattern, ROUND_LEN, MSG_NOSIGNAL | MSG_DONTWAIT) ==
		ROUND_LEN)
		return true;
	fail(l, strerror(errno));
	return false;
}

static void begin_round(struct loopback *l)
{
	l->phase = THERE;
	l->have = 0;
	l->begin_us = client_now_us();
	(void)send_round(l, l->one);
}

static void begin_fast(struct loopback *l)
{
	l->phase = FAST;
	l->begin_us = client_now_us();
	(void)event_add(l->writable, NULL);
	l->handlers->round_trip(l->best_us, l->arg);
}

static void end_round(struct loopback *l)
{
	int64_t took_us = client_now_us() - l->begin_us;

	if (l->rounds == 0 || took_us < l->best_us)
		l->best_us = took_us;
	if (++l->rounds < ROUNDS)
		begin_round(l);
	else
		begin_fast(l);
}

/* Part of the 32 bytes has arrived at this end. */
static void take_round(struct loopback *l, int fd)
{
	bool failed;
	ssize_t n = receive(l, fd, ROUND_LEN - l->have, &failed);

	if (n < 0)
		return;
	if (memcmp(l->in, l->pattern + l->have, (size_t)n) != 0) {
		fail(l, "other bytes came than were sent");
		return;
	}
	l->have += (size_t)n;
	if (l->have < ROUND_LEN)
		return;
	l->have = 0;
	if (l->phase == BACK) {
		end_round(l);
	} else {
		l->phase = BACK;
		(void)send_round(l, l->other);
	}
}

static void end_fast(struct loopback *l, int64_t took_us)
{
	int64_t rate = (int64_t)((double)l->received * 1e6 / (double)took_us);

	(void)event_del(l->writable);
	(void)event_del(l->one_readable);
	(void)event_del(l->other_readable);
	(void)event_del(l->patience);
	l->handlers->throughput(rate, took_us, l->arg);
}

static void take_fast(struct loopback *l)
{
	int64_t took_us;
	bool failed;
	ssize_t n = receive(l, l->other, BUFFER, &failed);

	if (n < 0)
		return;
	if (memcmp(l->in, pattern_at(l, l->received), (size_t)n) != 0) {
		fail(l, "other bytes came than were sent");
		return;
	}
	l->received += (uint64_t)n;
	took_us = client_now_us() - l->begin_us;
	if (took_us >= FAST_US)
		end_fast(l, took_us);
}

static void one_ready(evutil_socket_t fd, short what, void *arg)
{
	struct loopback *l = arg;

	(void)what;
	if (l->phase == BACK)
		take_round(l, (int)fd);
	else
		fail(l, "bytes came that nobody has sent");
}

static void other_ready(evutil_socket_t fd, short what, void *arg)
{
	struct loopback *l = arg;

	(void)what;
	if (l->phase == FAST)
		take_fast(l);
	else
		take_round(l, (int)fd);
}

static void one_writable(evutil_socket_t fd, short what, void *arg)
{
	struct loopback *l = arg;
	ssize_t n = send(fd, pattern_at(l, l->sent), BUFFER,
		MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)what;
	if (n > 0)
		l->sent += (uint64_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		fail(l, strerror(errno));
}

static void out_of_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fail(arg, "no bytes came through in time");
}

static int make_events(struct loopback *l, struct event_base *base)
{
	l->one_readable =
		event_new(base, l->one, EV_READ | EV_PERSIST, one_ready, l);
	l->other_readable =
		event_new(base, l->other, EV_READ | EV_PERSIST, other_ready, l);
	l->writable =
		event_new(base, l->one, EV_WRITE | EV_PERSIST, one_writable, l);
	l->patience = evtimer_new(base, out_of_patience, l);
	if (!l->one_readable || !l->other_readable || !l->writable ||
		!l->patience)
		return -1;
	be_patient(l);
	return event_add(l->one_readable, NULL) ||
			       event_add(l->other_readable, NULL)
		       ? -1
		       : 0;
}

struct loopback *loopback_start(struct event_base *base, int one, int other,
	int64_t timeout_ms, const struct loopback_handlers *handlers, void *arg)
{
	struct loopback *l = calloc(1, sizeof(*l));

	if (!l) {
		(void)close(one);
		(void)close(other);
		return NULL;
	}
	l->handlers = handlers;
	l->arg = arg;
	l->one = one;
	l->other = other;
	(void)client_timeval(timeout_ms, &l->timeout);
	for (size_t i = 0; i < sizeof(l->pattern); i++)
		l->pattern[i] = (uint8_t)(i % PATTERN_LEN);
	/*
	 * Start the first round from the loop: failed() must not be called
	 * here.
	 */
	l->begin_us = client_now_us();
	if (make_events(l, base) == 0 &&
		send(one, l->pattern, ROUND_LEN, MSG_NOSIGNAL | MSG_DONTWAIT) ==
			ROUND_LEN)
		return l;
	loopback_free(l);
	return NULL;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void loopback_free(struct loopback *loopback)
{
	if (!loopback)
		return;
	free_event(loopback->one_readable);
	free_event(loopback->other_readable);
	free_event(loopback->writable);
	free_event(loopback->patience);
	(void)close(loopback->one);
	(void)close(loopback->other);
	free(loopback);
}

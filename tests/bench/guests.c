/* SPDX-License-Identifier: MPL-2.0 */

/* Sides of sessions in which nothing useful is said. */

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guests.h"
#include "half.h"

struct guests {
	struct bench *bench;
	void (*gone)(void *arg);
	void *arg;
	struct half half; /* until the session is joined */
	int fd;           /* afterwards, else -1 */
	bool busy;
	struct event read, patience, leave;
};

static void leave(struct guests *guests)
{
	event_del(&guests->patience);
	if (guests->fd >= 0) {
		event_del(&guests->read);
		close(guests->fd);
		guests->fd = -1;
	}
	half_reset(&guests->half);
	/* From the loop, because this may be called in guests_take(). */
	event_active(&guests->leave, EV_TIMEOUT, 0);
}

static void left(evutil_socket_t fd, short what, void *arg)
{
	struct guests *guests = arg;

	(void)fd;
	(void)what;
	guests->busy = false;
	guests->gone(guests->arg);
}

static void out_of_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	leave(arg);
}

/* Whatever a stranger says, it is not a whole handshake. */
static void readable(evutil_socket_t fd, short what, void *arg)
{
	char dropped[4096];
	ssize_t n = recv(fd, dropped, sizeof(dropped), 0);

	(void)what;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		leave(arg);
}

static void changed(struct half *half, enum failure why, void *arg)
{
	struct guests *guests = arg;

	if (why) {
		leave(guests);
		return;
	}
	guests->fd = half_take(half);
	event_assign(&guests->read, guests->bench->base, guests->fd,
		EV_READ | EV_PERSIST, readable, guests);
	event_add(&guests->read, NULL);
}

struct guests *guests_create(
	struct bench *bench, void (*gone)(void *arg), void *arg)
{
	struct guests *guests = calloc(1, sizeof(*guests));

	if (!guests)
		return NULL;
	guests->bench = bench;
	guests->gone = gone;
	guests->arg = arg;
	guests->fd = -1;
	half_init(&guests->half, bench, changed, guests);
	evtimer_assign(&guests->patience, bench->base, out_of_patience, guests);
	evtimer_assign(&guests->leave, bench->base, left, guests);
	return guests;
}

bool guests_busy(const struct guests *guests)
{
	return guests->busy;
}

void guests_take(struct guests *guests, const struct frame_bytes *key)
{
	guests->busy = true;
	evtimer_add(&guests->patience, guests->bench->patience);
	half_start(&guests->half, key);
}

void guests_destroy(struct guests *guests)
{
	if (!guests)
		return;
	leave(guests);
	event_del(&guests->leave);
	free(guests);
}

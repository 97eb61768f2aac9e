/* SPDX-License-Identifier: MPL-2.0 */

/* One end of a session, until data flows. */

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"
#include "half.h"

#define GREETING 0x5a

static void fail(struct half *half, enum failure why)
{
	half_reset(half);
	half->changed(half, why, half->arg);
}

static void ready(evutil_socket_t fd, short what, void *arg);

static void connected(struct half *half)
{
	uint8_t message[FRAME_OPAQUE_SIZE];
	int error = dial_error(half->fd);
	size_t len;

	if (error) {
		fail(half, failure_of_errno(error));
		return;
	}
	len = frame_write_join_session(
		message, sizeof(message), half->key, half->key_len);
	if (send(half->fd, message, len, MSG_NOSIGNAL) != (ssize_t)len) {
		fail(half, failure_of_errno(errno));
		return;
	}
	half->state = HALF_JOINING;
	event_del(&half->event);
	event_assign(&half->event, half->bench->base, half->fd,
		EV_READ | EV_PERSIST, ready, half);
	event_add(&half->event, NULL);
}

/*
 * The number of bytes missing from a complete Response; later bytes belong to
 * the session.  0 if it is complete, -1 if it is invalid.
 */
static int missing(const struct half *half)
{
	struct frame_header header;
	size_t whole = FRAME_HEADER_LEN;

	if (half->in_len >= FRAME_HEADER_LEN) {
		if (frame_read_header(half->in, &header) ||
			header.type != FRAME_RESPONSE)
			return -1;
		whole += header.length;
	}
	return whole > sizeof(half->in) ? -1 : (int)(whole - half->in_len);
}

static void got_response(struct half *half)
{
	struct frame_response response;
	enum failure why = FAILURE_PROTOCOL;

	if (!frame_read_response(half->in + FRAME_HEADER_LEN,
		    half->in_len - FRAME_HEADER_LEN, &response))
		why = failure_of_code(response.code);
	if (why) {
		fail(half, why);
		return;
	}
	half->state = HALF_JOINED;
	half->changed(half, FAILURE_NONE, half->arg);
}

/* Reads at most len bytes; true if any arrived, else reports the end. */
static bool receive(struct half *half, uint8_t *out, size_t len, size_t *got)
{
	ssize_t n = recv(half->fd, out, len, 0);

	if (n > 0) {
		*got = (size_t)n;
		return true;
	}
	if (n == 0)
		fail(half, FAILURE_CLOSED);
	else if (errno != EAGAIN)
		fail(half, failure_of_errno(errno));
	return false;
}

static void read_response(struct half *half)
{
	int left;
	size_t n;

	while ((left = missing(half)) > 0) {
		if (!receive(half, half->in + half->in_len, (size_t)left, &n))
			return;
		half->in_len += n;
	}
	if (left < 0)
		fail(half, FAILURE_PROTOCOL);
	else
		got_response(half);
}

static void read_greeting(struct half *half)
{
	uint8_t byte;
	size_t n;

	if (!receive(half, &byte, 1, &n))
		return;
	if (byte != GREETING) {
		fail(half, FAILURE_DATA);
		return;
	}
	half->state = HALF_MET;
	event_del(&half->event);
	half->changed(half, FAILURE_NONE, half->arg);
}

static void ready(evutil_socket_t fd, short what, void *arg)
{
	struct half *half = arg;

	(void)fd;
	(void)what;
	if (half->state == HALF_CONNECTING)
		connected(half);
	else if (half->state == HALF_JOINING)
		read_response(half);
	else
		read_greeting(half);
}

void half_init(struct half *half, struct bench *bench,
	void (*changed)(struct half *half, enum failure why, void *arg),
	void *arg)
{
	memset(half, 0, sizeof(*half));
	half->bench = bench;
	half->changed = changed;
	half->arg = arg;
	half->fd = -1;
}

void half_start(struct half *half, const struct frame_bytes *key)
{
	assert(half->state == HALF_IDLE && key->len <= sizeof(half->key));
	memcpy(half->key, key->data, key->len);
	half->key_len = key->len;
	half->in_len = 0;
	half->fd = dial(half->bench);
	if (half->fd < 0) {
		half->changed(half, failure_of_errno(errno), half->arg);
		return;
	}
	half->state = HALF_CONNECTING;
	event_assign(&half->event, half->bench->base, half->fd, EV_WRITE, ready,
		half);
	event_add(&half->event, NULL);
}

void half_greet(struct half *half)
{
	const uint8_t byte = GREETING;

	if (send(half->fd, &byte, 1, MSG_NOSIGNAL) != 1)
		fail(half, failure_of_errno(errno));
}

int half_take(struct half *half)
{
	int fd = half->fd;

	if (half->state != HALF_IDLE)
		event_del(&half->event);
	half->fd = -1;
	half->state = HALF_IDLE;
	return fd;
}

void half_reset(struct half *half)
{
	int fd = half_take(half);

	if (fd >= 0)
		close(fd);
}

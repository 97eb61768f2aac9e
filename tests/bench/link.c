/* SPDX-License-Identifier: MPL-2.0 */

/* A connection in protocol mode, driven by its socket's events. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "dial.h"
#include "link.h"

struct link {
	struct bench *bench;
	const struct link_handlers *handlers;
	void *arg;
	SSL *ssl;
	int fd;
	bool connected, open;
	bool busy; /* a handler is on the stack: free later */
	bool dead;
	uint64_t pings;
	struct event reading, writing, patience;
	size_t in_len;
	uint8_t in[FRAME_MAX];
};

static void release(struct link *link)
{
	event_del(&link->reading);
	event_del(&link->writing);
	event_del(&link->patience);
	SSL_free(link->ssl);
	if (link->fd >= 0)
		close(link->fd);
	free(link);
}

void link_destroy(struct link *link)
{
	if (!link)
		return;
	link->dead = true;
	if (!link->busy)
		release(link);
}

static void fail(struct link *link, enum failure why)
{
	if (link->dead)
		return;
	event_del(&link->reading);
	event_del(&link->writing);
	event_del(&link->patience);
	link->handlers->failed(link, why, link->arg);
}

static enum failure failure_of_ssl(const struct link *link, int result)
{
	switch (SSL_get_error(link->ssl, result)) {
	case SSL_ERROR_ZERO_RETURN:
		return FAILURE_CLOSED;
	case SSL_ERROR_SYSCALL:
		return errno ? failure_of_errno(errno) : FAILURE_CLOSED;
	default:
		/* The stream ended without close_notify. */
		if (ERR_GET_REASON(ERR_peek_error()) ==
			SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return FAILURE_CLOSED;
		return FAILURE_TLS;
	}
}

/* After a failed call: true if it can be repeated later. */
static bool waits(struct link *link, int result)
{
	int error = SSL_get_error(link->ssl, result);

	if (error == SSL_ERROR_WANT_WRITE)
		event_add(&link->writing, NULL);
	return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ;
}

void link_send(struct link *link, const uint8_t *message, size_t len)
{
	int n;

	if (link->dead)
		return;
	ERR_clear_error();
	errno = 0;
	n = SSL_write(link->ssl, message, (int)len);
	/*
	 * If the socket has no room for a small message, the server does not
	 * read.
	 */
	if (n <= 0)
		fail(link, failure_of_ssl(link, n));
}

void link_join(struct link *link)
{
	const char *token = link->bench->settings->token;
	uint8_t message[FRAME_MAX];

	token = token ? token : "";
	link_send(link, message,
		frame_write_join_relay(
			message, sizeof(message), token, strlen(token)));
}

static void answer_ping(struct link *link)
{
	uint8_t pong[FRAME_EMPTY_SIZE];

	link->pings++;
	link_send(
		link, pong, frame_write_empty(pong, sizeof(pong), FRAME_PONG));
}

static void handle_message(struct link *link, const struct frame_header *header)
{
	const uint8_t *body = link->in + FRAME_HEADER_LEN;

	if (header->type == FRAME_PING)
		answer_ping(link);
	else
		link->handlers->message(link, header, body, link->arg);
}

/* Handles complete messages in the buffer. */
static void take_messages(struct link *link)
{
	struct frame_header header;
	size_t whole;

	while (!link->dead && link->in_len >= FRAME_HEADER_LEN) {
		if (frame_read_header(link->in, &header)) {
			fail(link, FAILURE_PROTOCOL);
			return;
		}
		whole = FRAME_HEADER_LEN + header.length;
		if (link->in_len < whole)
			return;
		handle_message(link, &header);
		if (link->dead)
			return;
		link->in_len -= whole;
		memmove(link->in, link->in + whole, link->in_len);
	}
}

static void read_messages(struct link *link)
{
	while (!link->dead) {
		int n;

		ERR_clear_error();
		errno = 0;
		n = SSL_read(link->ssl, link->in + link->in_len,
			(int)(sizeof(link->in) - link->in_len));
		if (n <= 0) {
			if (!waits(link, n))
				fail(link, failure_of_ssl(link, n));
			return;
		}
		link->in_len += (size_t)n;
		take_messages(link);
		/*
		 * OpenSSL's buffer is empty: skip a call that would return
		 * nothing.
		 */
		if (!link->dead && !SSL_has_pending(link->ssl))
			return;
	}
}

static void shake_hands(struct link *link)
{
	int n;

	ERR_clear_error();
	errno = 0;
	n = SSL_connect(link->ssl);
	if (n != 1) {
		if (!waits(link, n))
			fail(link, failure_of_ssl(link, n));
		return;
	}
	link->open = true;
	link->handlers->opened(link, link->arg);
}

static bool is_connected(struct link *link)
{
	int error;

	if (link->connected)
		return true;
	error = dial_error(link->fd);
	if (error) {
		fail(link, failure_of_errno(error));
		return false;
	}
	link->connected = true;
	event_add(&link->reading, NULL);
	return true;
}

static void ready(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;

	(void)fd;
	(void)what;
	link->busy = true;
	if (is_connected(link)) {
		if (!link->open)
			shake_hands(link);
		if (!link->dead && link->open)
			read_messages(link);
	}
	link->busy = false;
	if (link->dead)
		release(link);
}

static void out_of_patience(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;

	(void)fd;
	(void)what;
	fail(link, FAILURE_TIMEOUT);
}

static int prepare_tls(struct link *link, const struct sockaddr_in *relay,
	const struct identity *identity)
{
	link->ssl = SSL_new(link->bench->tls);
	if (!link->ssl ||
		SSL_use_certificate(link->ssl, identity->certificate) != 1 ||
		SSL_use_PrivateKey(link->ssl, identity->key) != 1)
		return -1;
	for (size_t i = 0; i < identity->more; i++)
		if (SSL_add1_chain_cert(link->ssl, identity->certificate) != 1)
			return -1;
	link->fd = dial_to(link->bench, relay);
	return link->fd >= 0 && SSL_set_fd(link->ssl, link->fd) == 1 ? 0 : -1;
}

struct link *link_create(struct bench *bench, const struct sockaddr_in *relay,
	const struct identity *identity, const struct link_handlers *handlers,
	void *arg)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link) {
		tally_add(&bench->tally, FAILURE_LOCAL);
		return NULL;
	}
	link->bench = bench;
	link->handlers = handlers;
	link->arg = arg;
	link->fd = -1;
	if (prepare_tls(link, relay, identity)) {
		tally_add(&bench->tally, FAILURE_LOCAL);
		SSL_free(link->ssl);
		if (link->fd >= 0)
			close(link->fd);
		free(link);
		return NULL;
	}
	event_assign(&link->reading, bench->base, link->fd,
		EV_READ | EV_PERSIST, ready, link);
	event_assign(
		&link->writing, bench->base, link->fd, EV_WRITE, ready, link);
	evtimer_assign(&link->patience, bench->base, out_of_patience, link);
	event_add(&link->writing, NULL);
	evtimer_add(&link->patience, bench->patience);
	return link;
}

void link_settled(struct link *link)
{
	evtimer_del(&link->patience);
}

void link_deafen(struct link *link)
{
	event_del(&link->reading);
}

uint64_t link_pings(const struct link *link)
{
	return link->pings;
}

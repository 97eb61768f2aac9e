/* SPDX-License-Identifier: MPL-2.0 */

/* Joins a session and passes on its socket. */

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client_state.h"
#include "dial.h"
#include "invitation.h"
#include "relay/messages/frame.h"
#include "client_uri.h"

#define PROBES           4
#define KEEP_ALIVE_MAX_S 32767 /* the kernel's own limit */

struct relay_client_session {
	struct relay_client *client; /* borrowed */
	struct relay_client_session_handlers handlers;
	void *arg;
	struct relay_client_invitation invitation;
	struct dial *dial;      /* owned */
	struct event *answer;   /* owned; of fd */
	struct event *patience; /* owned; single bytes do not restart it */
	int fd;                 /* owned until it is passed on */
	char host[NI_MAXHOST];
	unsigned port;
	size_t have; /* received bytes of the answer */
	uint8_t in[FRAME_MAX];
};

static void drop_socket(struct relay_client_session *session)
{
	if (session->answer)
		event_free(session->answer);
	session->answer = NULL;
	if (session->patience)
		event_free(session->patience);
	session->patience = NULL;
	if (session->fd >= 0)
		(void)close(session->fd);
	session->fd = -1;
}

static void fail(struct relay_client_session *session,
	enum relay_client_failure failure, const char *what)
{
	struct relay_client_error why;

	drop_socket(session);
	client_error(&why, failure,
		strchr(session->host, ':') ? "session at [%s]:%u: %s"
					   : "session at %s:%u: %s",
		session->host, session->port, what);
	session->handlers.failed(&why, session->arg);
}

/* A part of the timeout, in whole seconds for the kernel. */
static int keep_alive_s(int64_t ms)
{
	int64_t s = (ms + 999) / 1000;

	return s < KEEP_ALIVE_MAX_S ? (int)s : KEEP_ALIVE_MAX_S;
}

/*
 * Use half of the timeout until the first probe, the rest for unanswered
 * probes.  A relay that was restarted answers a probe with a reset.  If setting
 * this fails, sending still detects the loss.
 */
static void keep_alive(const struct relay_client_session *session)
{
	int64_t ms = session->client->patience.silence_ms / 2;
	const struct {
		int level, name, value;
	} all[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, keep_alive_s(ms)},
		{IPPROTO_TCP, TCP_KEEPINTVL, keep_alive_s(ms / PROBES)},
		{IPPROTO_TCP, TCP_KEEPCNT, PROBES},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		(void)setsockopt(session->fd, all[i].level, all[i].name,
			&all[i].value, sizeof(all[i].value));
}

static void hand_over(struct relay_client_session *session)
{
	int fd = session->fd;

	keep_alive(session);
	session->fd = -1;
	drop_socket(session);
	session->handlers.connected(fd, session->arg);
}

static void judge_answer(
	struct relay_client_session *session, const struct frame_header *header)
{
	struct relay_client_error why;

	if (header->type != FRAME_RESPONSE)
		fail(session, RELAY_CLIENT_BAD_MESSAGE,
			"a message that has no place there");
	else if (response_read(
			 session->in + FRAME_HEADER_LEN, header->length, &why))
		fail(session, why.failure, why.text);
	else
		hand_over(session);
}

/* The length of the answer as far as it is known; 0: invalid. */
static size_t answer_len(
	const struct relay_client_session *session, struct frame_header *header)
{
	if (session->have < FRAME_HEADER_LEN)
		return FRAME_HEADER_LEN;
	if (frame_read_header(session->in, header) != FRAME_OK)
		return 0;
	return FRAME_HEADER_LEN + header->length;
}

/* Read no byte beyond the answer: the rest comes from the other device. */
static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct relay_client_session *session = arg;
	struct frame_header header = {FRAME_PING, 0};
	size_t want;

	(void)what;
	while ((want = answer_len(session, &header)) > session->have) {
		ssize_t n = recv(fd, session->in + session->have,
			want - session->have, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			fail(session, RELAY_CLIENT_CLOSED,
				n ? strerror(errno)
				  : "the relay ended the connection");
			return;
		}
		session->have += (size_t)n;
	}
	if (want == 0)
		fail(session, RELAY_CLIENT_BAD_MESSAGE,
			"what the relay sent is no message of the relay "
			"protocol");
	else
		judge_answer(session, &header);
}

static void out_of_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fail(arg, RELAY_CLIENT_TIMEOUT, "the relay did not answer in time");
}

static int await_answer(struct relay_client_session *session)
{
	struct event_base *base = session->client->base;
	struct timeval t;

	session->answer = event_new(
		base, session->fd, EV_READ | EV_PERSIST, readable, session);
	session->patience = evtimer_new(base, out_of_patience, session);
	if (!session->answer || !session->patience ||
		event_add(session->answer, NULL))
		return -1;
	return evtimer_add(session->patience,
		client_timeval(session->client->patience.answer_ms, &t));
}

static void dial_done(int fd, const struct relay_client_error *why, void *arg)
{
	struct relay_client_session *session = arg;
	const struct relay_client_invitation *in = &session->invitation;
	uint8_t buf[FRAME_OPAQUE_SIZE];
	size_t len = frame_write_join_session(
		buf, sizeof(buf), in->key, in->key_len);

	if (fd < 0) {
		session->handlers.failed(why, session->arg);
		return;
	}
	session->fd = fd;
	/* A new connection always has room for 48 bytes. */
	if (send(fd, buf, len, MSG_NOSIGNAL) != (ssize_t)len)
		fail(session, RELAY_CLIENT_CLOSED, strerror(errno));
	else if (await_answer(session))
		fail(session, RELAY_CLIENT_LOCAL, "no memory for a session");
}

static const struct dial_handlers dial_handlers = {NULL, dial_done};

static int begin(struct relay_client_session *session, struct relay_err *err)
{
	const struct relay_client_invitation *in = &session->invitation;
	char port[NI_MAXSERV];
	int code = getnameinfo((const struct sockaddr *)&in->address,
		in->address_len, session->host, sizeof(session->host), port,
		sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);

	if (code || in->key_len > sizeof(in->key))
		return relay_fail(err, "the invitation is none: %s",
			code ? gai_strerror(code) : "its key is too long");
	session->port = (unsigned)strtoul(port, NULL, 10);
	session->dial = dial_start(session->client->base, session->host,
		session->port, session->client->patience.dial_ms,
		&dial_handlers, session, err);
	return session->dial ? 0 : -1;
}

struct relay_client_session *relay_client_session(struct relay_client *client,
	const struct relay_client_invitation *invitation,
	const struct relay_client_session_handlers *handlers, void *arg,
	struct relay_err *err)
{
	struct relay_client_session *session = calloc(1, sizeof(*session));

	if (!session) {
		(void)relay_fail(err, "no memory for a session");
		return NULL;
	}
	session->client = client;
	session->handlers = *handlers;
	session->arg = arg;
	session->fd = -1;
	session->invitation = *invitation;
	if (begin(session, err) == 0)
		return session;
	free(session);
	return NULL;
}

void relay_client_session_free(struct relay_client_session *session)
{
	if (!session)
		return;
	drop_socket(session);
	dial_free(session->dial);
	free(session);
}

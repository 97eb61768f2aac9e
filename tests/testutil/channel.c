/* SPDX-License-Identifier: MPL-2.0 */

/* A connection to a relay in protocol mode: TLS, messages, pings. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "channel.h"
#include "dial.h"

/* Enough for Pongs; a relay that does not read them fails. */
#define OUT_MAX 4096

struct channel {
	struct relay_client *client; /* borrowed */
	const struct channel_handlers *handlers;
	void *arg;
	struct dial *dial; /* owned, while connecting */
	SSL *ssl;          /* owned */
	int fd;
	bool open, settled, overflow;
	struct event *reading, *writing, *patience, *flushing; /* owned */
	struct client_uri uri;
	char place[CLIENT_PLACE];
	size_t in_len, out_len;
	uint8_t in[FRAME_MAX], out[OUT_MAX];
};

static void stop(struct channel *channel)
{
	(void)event_del(channel->patience);
	(void)event_del(channel->flushing);
	if (channel->reading)
		(void)event_del(channel->reading);
	if (channel->writing)
		(void)event_del(channel->writing);
}

static void fail(struct channel *channel, enum relay_client_failure failure,
	const char *what)
{
	struct relay_client_error why;

	stop(channel);
	client_error(&why, failure, "%s: %s", channel->place, what);
	channel->handlers->failed(&why, channel->arg);
}

/* The reason why an OpenSSL call failed for good. */
static void fail_ssl(struct channel *channel, int result)
{
	int saved = errno, kind = SSL_get_error(channel->ssl, result);
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);
	enum relay_client_failure failure =
		channel->open ? RELAY_CLIENT_CLOSED : RELAY_CLIENT_TLS;

	if (kind == SSL_ERROR_ZERO_RETURN ||
		(kind == SSL_ERROR_SYSCALL && saved == 0) ||
		ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		fail(channel, failure,
			channel->open ? "the relay ended the connection"
				      : "the connection ended within the TLS "
					"handshake");
	else if (kind == SSL_ERROR_SYSCALL)
		fail(channel, failure, strerror(saved));
	else
		fail(channel, RELAY_CLIENT_TLS,
			reason ? reason : "an error without a name");
}

/* True if the call can be repeated when the socket is ready. */
static bool waits(struct channel *channel, int result)
{
	int kind = SSL_get_error(channel->ssl, result);

	if (kind == SSL_ERROR_WANT_WRITE)
		(void)event_add(channel->writing, NULL);
	return kind == SSL_ERROR_WANT_WRITE || kind == SSL_ERROR_WANT_READ;
}

/* Clear the error queue, so that an old error is not taken for a new one. */
static void forget_errors(void)
{
	ERR_clear_error();
	errno = 0;
}

/* False if the channel has failed; it may have been freed. */
static bool flush(struct channel *channel)
{
	while (channel->out_len > 0) {
		int n;

		forget_errors();
		n = SSL_write(
			channel->ssl, channel->out, (int)channel->out_len);
		if (n <= 0) {
			if (waits(channel, n))
				return true;
			fail_ssl(channel, n);
			return false;
		}
		channel->out_len -= (size_t)n;
		memmove(channel->out, channel->out + n, channel->out_len);
	}
	return true;
}

void channel_send(struct channel *channel, const uint8_t *message, size_t len)
{
	if (len > OUT_MAX - channel->out_len) {
		channel->overflow = true;
	} else {
		memcpy(channel->out + channel->out_len, message, len);
		channel->out_len += len;
	}
	/*
	 * Delayed, because failed() must not be called from within this call.
	 */
	event_active(channel->flushing, EV_TIMEOUT, 0);
}

static void flush_event(evutil_socket_t fd, short what, void *arg)
{
	struct channel *channel = arg;

	(void)fd;
	(void)what;
	if (channel->overflow)
		fail(channel, RELAY_CLIENT_CLOSED,
			"the relay does not read what it is sent");
	else
		(void)flush(channel);
}

static void arm_patience(struct channel *channel)
{
	const struct relay_client_patience *p = &channel->client->patience;
	struct timeval t;

	(void)evtimer_add(channel->patience,
		client_timeval(
			channel->settled ? p->silence_ms : p->answer_ms, &t));
}

void channel_settled(struct channel *channel)
{
	channel->settled = true;
	arm_patience(channel);
}

static void answer_ping(struct channel *channel)
{
	uint8_t pong[FRAME_EMPTY_SIZE];

	channel_send(channel, pong,
		frame_write_empty(pong, sizeof(pong), FRAME_PONG));
}

/*
 * Passes on the message at the start of the buffer.  Must be the last action of
 * an event, because the handler may free the channel.  If another message
 * follows, the read event is activated again.
 */
static void take_message(
	struct channel *channel, const struct frame_header *header)
{
	uint8_t body[FRAME_BODY_MAX];
	size_t whole = FRAME_HEADER_LEN + header->length;

	memcpy(body, channel->in + FRAME_HEADER_LEN, header->length);
	channel->in_len -= whole;
	memmove(channel->in, channel->in + whole, channel->in_len);
	if (channel->settled)
		arm_patience(channel);
	event_active(channel->reading, EV_READ, 0);
	if (header->type == FRAME_PING)
		answer_ping(channel);
	else if (header->type != FRAME_PONG)
		channel->handlers->message(
			header->type, body, header->length, channel->arg);
}

/* True if it passed on a message, or has failed. */
static bool take_from_buffer(struct channel *channel)
{
	struct frame_header header;
	int error;

	if (channel->in_len < FRAME_HEADER_LEN)
		return false;
	error = frame_read_header(channel->in, &header);
	if (error) {
		fail(channel, RELAY_CLIENT_BAD_MESSAGE,
			"what the relay sent is no message of the relay "
			"protocol");
		return true;
	}
	if (channel->in_len < FRAME_HEADER_LEN + header.length)
		return false;
	take_message(channel, &header);
	return true;
}

static void read_messages(struct channel *channel)
{
	while (!take_from_buffer(channel)) {
		int n;

		/*
		 * There is room, because a complete message never stays in the
		 * buffer.
		 */
		forget_errors();
		n = SSL_read(channel->ssl, channel->in + channel->in_len,
			(int)(sizeof(channel->in) - channel->in_len));
		if (n <= 0) {
			if (!waits(channel, n))
				fail_ssl(channel, n);
			return;
		}
		channel->in_len += (size_t)n;
	}
}

static void fail_id(
	struct channel *channel, const uint8_t got[RELAY_DEVICE_ID_LEN])
{
	char text[RELAY_DEVICE_ID_TEXT];
	struct relay_client_error why;

	relay_device_id_format(got, text);
	stop(channel);
	client_error(&why, RELAY_CLIENT_WRONG_ID,
		"%s: another relay than the URI names; its ID is %s",
		channel->place, text);
	channel->handlers->failed(&why, channel->arg);
}

/* Checks as the Go client does: ALPN, one certificate, the expected ID. */
static void judge_peer(struct channel *channel)
{
	const unsigned char *alpn = NULL;
	unsigned alpn_len = 0;
	uint8_t id[RELAY_DEVICE_ID_LEN];
	const X509 *cert = SSL_get0_peer_certificate(channel->ssl);

	SSL_get0_alpn_selected(channel->ssl, &alpn, &alpn_len);
	if (alpn_len != 9 || memcmp(alpn, "bep-relay", 9) != 0) {
		fail(channel, RELAY_CLIENT_TLS,
			"no relay: it did not agree on ALPN bep-relay");
		return;
	}
	if (!cert || sk_X509_num(SSL_get_peer_cert_chain(channel->ssl)) != 1 ||
		X509_digest(cert, EVP_sha256(), id, NULL) != 1) {
		fail(channel, RELAY_CLIENT_TLS,
			"a relay shows one certificate, no more and no less");
		return;
	}
	if (channel->uri.has_id && memcmp(id, channel->uri.id, sizeof(id))) {
		fail_id(channel, id);
		return;
	}
	channel->open = true;
	/* Messages may have arrived already. */
	event_active(channel->reading, EV_READ, 0);
	channel->handlers->opened(channel->arg);
}

static void shake_hands(struct channel *channel)
{
	int n;

	forget_errors();
	n = SSL_connect(channel->ssl);
	if (n == 1)
		judge_peer(channel);
	else if (!waits(channel, n))
		fail_ssl(channel, n);
}

static void socket_event(evutil_socket_t fd, short what, void *arg)
{
	struct channel *channel = arg;

	(void)fd;
	(void)what;
	if (!channel->open)
		shake_hands(channel);
	else if (flush(channel))
		read_messages(channel);
}

static void out_of_patience(evutil_socket_t fd, short what, void *arg)
{
	struct channel *channel = arg;

	(void)fd;
	(void)what;
	if (channel->settled)
		fail(channel, RELAY_CLIENT_SILENT,
			"nothing was heard from the relay for too long");
	else if (channel->open)
		fail(channel, RELAY_CLIENT_TIMEOUT,
			"the relay did not answer in time");
	else
		fail(channel, RELAY_CLIENT_TIMEOUT,
			"the TLS handshake took too long");
}

static int begin_tls(struct channel *channel)
{
	channel->ssl = SSL_new(channel->client->relay_tls);
	channel->reading = event_new(channel->client->base, channel->fd,
		EV_READ | EV_PERSIST, socket_event, channel);
	channel->writing = event_new(channel->client->base, channel->fd,
		EV_WRITE, socket_event, channel);
	if (!channel->ssl || !channel->reading || !channel->writing ||
		SSL_set_fd(channel->ssl, channel->fd) != 1 ||
		event_add(channel->reading, NULL))
		return -1;
	event_active(channel->writing, EV_WRITE, 0);
	return 0;
}

static void dial_found(void *arg)
{
	struct channel *channel = arg;

	channel->handlers->step(RELAY_CLIENT_STEP_LOOKUP, channel->arg);
}

static void dial_done(int fd, const struct relay_client_error *why, void *arg)
{
	struct channel *channel = arg;

	dial_free(channel->dial);
	channel->dial = NULL;
	if (fd < 0) {
		stop(channel);
		channel->handlers->failed(why, channel->arg);
		return;
	}
	channel->fd = fd;
	arm_patience(channel);
	if (begin_tls(channel))
		fail(channel, RELAY_CLIENT_LOCAL, "no memory for TLS");
	else
		channel->handlers->step(
			RELAY_CLIENT_STEP_CONNECTED, channel->arg);
}

static const struct dial_handlers dial_handlers = {dial_found, dial_done};

struct channel *channel_start(struct relay_client *client,
	const struct client_uri *uri, const struct channel_handlers *handlers,
	void *arg, struct relay_err *err)
{
	struct channel *channel = calloc(1, sizeof(*channel));

	if (!channel) {
		(void)relay_fail(err, "no memory for a connection");
		return NULL;
	}
	channel->client = client;
	channel->handlers = handlers;
	channel->arg = arg;
	channel->fd = -1;
	channel->uri = *uri;
	client_uri_place(uri, channel->place);
	channel->patience = evtimer_new(client->base, out_of_patience, channel);
	channel->flushing = evtimer_new(client->base, flush_event, channel);
	if (!channel->patience || !channel->flushing) {
		channel_free(channel);
		(void)relay_fail(err, "no memory for a connection");
		return NULL;
	}
	channel->dial = dial_start(client->base, uri->host, uri->port,
		client->patience.dial_ms, &dial_handlers, channel, err);
	if (channel->dial)
		return channel;
	channel_free(channel);
	return NULL;
}

void channel_restrict(struct channel *channel, enum nearness nearest)
{
	dial_restrict(channel->dial, nearest);
}

void channel_peer(const struct channel *channel,
	struct sockaddr_storage *address, socklen_t *len)
{
	*len = sizeof(*address);
	if (getpeername(channel->fd, (struct sockaddr *)address, len))
		*len = 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void channel_free(struct channel *channel)
{
	if (!channel)
		return;
	free_event(channel->reading);
	free_event(channel->writing);
	free_event(channel->patience);
	free_event(channel->flushing);
	dial_free(channel->dial);
	/* Send close_notify, so that the relay sees an orderly end. */
	if (channel->open)
		(void)SSL_shutdown(channel->ssl);
	SSL_free(channel->ssl);
	if (channel->fd >= 0)
		(void)close(channel->fd);
	ERR_clear_error();
	OPENSSL_cleanse(&channel->uri, sizeof(channel->uri));
	free(channel);
}

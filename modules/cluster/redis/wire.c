/* SPDX-License-Identifier: MPL-2.0 */

/* A connection that never blocks. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "cluster/redis/wire.h"

/* Read at once; and so often in one turn, so that others have theirs. */
#define CHUNK 16384
#define READS 16

static void end(struct wire *wire, const char *why)
{
	struct relay_err text;

	/* It may be in memory that is freed now. */
	relay_fail(&text, "%s", why);
	wire_close(wire);
	wire->calls->ended(wire->arg, text.text);
}

/* 0, or -1 with the wire closed. */
static int step_tls(struct wire *wire)
{
	struct relay_err err;

	if (!wire->tls.ssl || tls_step(&wire->tls, &wire->in, &wire->out,
				      &wire->sealed, WIRE_MOST, &err) == 0)
		return 0;
	end(wire, err.text);
	return -1;
}

static struct bytes *outgoing(struct wire *wire)
{
	return wire->tls.ssl ? &wire->sealed : &wire->out;
}

/* Leaves errno, 0 if all is sent. */
static void flush(struct wire *wire)
{
	struct bytes *out = outgoing(wire);

	errno = 0;
	while (bytes_len(out)) {
		ssize_t done = send(wire->fd, bytes_at(out), bytes_len(out),
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return;
		bytes_take(out, (size_t)done);
		errno = 0;
	}
}

static void flush_or_wait(struct wire *wire)
{
	int error;

	if (step_tls(wire) != 0)
		return;
	flush(wire);
	error = errno;
	/* One that refuses says why before it closes: can_read() sees both. */
	if (!bytes_len(outgoing(wire)) || error == EPIPE || error == ECONNRESET)
		return;
	if (error != EAGAIN && error != EWOULDBLOCK)
		end(wire, strerror(error));
	else if (event_add(wire->writes, NULL) != 0)
		end(wire, "out of memory");
}

static void tell_opened(struct wire *wire)
{
	if (wire->opened || (wire->tls.ssl && !wire->tls.open))
		return;
	wire->opened = true;
	wire->calls->opened(wire->arg);
}

static void connected(struct wire *wire)
{
	unsigned turn = wire->turn;
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error) {
		end(wire, strerror(error));
		return;
	}
	wire->connected = true;
	if (event_add(wire->reads, NULL) != 0) {
		end(wire, "out of memory");
		return;
	}
	if (wire->tls.ssl)
		flush_or_wait(wire);
	if (turn == wire->turn)
		tell_opened(wire);
}

static void can_write(evutil_socket_t fd, short what, void *arg)
{
	struct wire *wire = arg;

	(void)fd;
	(void)what;
	if (wire->connected)
		flush_or_wait(wire);
	else
		connected(wire);
}

/* 1: there may be more; 0: not now; -1: the wire has been closed. */
static int read_once(struct wire *wire)
{
	uint8_t sealed[CHUNK];
	uint8_t *to = wire->tls.ssl ? sealed
				    : bytes_room(&wire->in, CHUNK, WIRE_MOST);
	ssize_t len;

	if (!to) {
		end(wire, "out of memory");
		return -1;
	}
	len = recv(wire->fd, to, CHUNK, MSG_DONTWAIT);
	if (len < 0 &&
		(errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return errno == EINTR;
	if (len <= 0) {
		end(wire, len ? strerror(errno) : "it closed the connection");
		return -1;
	}
	if (!wire->tls.ssl) {
		bytes_added(&wire->in, (size_t)len);
	} else if (tls_received(&wire->tls, sealed, (size_t)len) != 0) {
		end(wire, "out of memory");
		return -1;
	}
	return len == CHUNK;
}

static void can_read(evutil_socket_t fd, short what, void *arg)
{
	struct wire *wire = arg;
	unsigned turn = wire->turn;
	int more = 1;

	(void)fd;
	(void)what;
	for (int i = 0; i < READS && more == 1; i++)
		more = read_once(wire);
	if (more < 0)
		return;
	if (wire->tls.ssl)
		flush_or_wait(wire);
	if (turn == wire->turn)
		tell_opened(wire);
	if (turn == wire->turn && bytes_len(&wire->in))
		wire->calls->came(wire->arg);
}

void wire_init(struct wire *wire, const struct wire_calls *calls, void *arg)
{
	*wire = (struct wire){.fd = -1, .calls = calls, .arg = arg};
}

static int begin(struct wire *wire, const struct sockaddr *to, socklen_t len,
	struct relay_err *err)
{
	const int on = 1;

	wire->fd = socket(
		to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (wire->fd < 0)
		return relay_fail(err, "no socket: %s", strerror(errno));
	/* Without it, a small command would wait for the answer to the one
	 * before.  Nothing else depends on it. */
	if (to->sa_family != AF_UNIX)
		(void)setsockopt(
			wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(wire->fd, to, len) != 0 && errno != EINPROGRESS)
		return relay_fail(err, "%s", strerror(errno));
	return 0;
}

int wire_open(struct wire *wire, struct event_base *base,
	const struct sockaddr *to, socklen_t len, struct ssl_ctx_st *context,
	const char *host, struct relay_err *err)
{
	wire->connected = wire->opened = false;
	if (begin(wire, to, len, err) != 0) {
		wire_close(wire);
		return -1;
	}
	wire->reads =
		event_new(base, wire->fd, EV_READ | EV_PERSIST, can_read, wire);
	wire->writes = event_new(base, wire->fd, EV_WRITE, can_write, wire);
	if (!wire->reads || !wire->writes ||
		event_add(wire->writes, NULL) != 0 ||
		(context && tls_begin(&wire->tls, context, host) != 0)) {
		wire_close(wire);
		return relay_fail(err, "out of memory");
	}
	return 0;
}

void wire_send(struct wire *wire)
{
	event_active(wire->writes, EV_WRITE, 1);
}

void wire_flush(struct wire *wire)
{
	struct relay_err err;

	if (wire_is_open(wire) &&
		(!wire->tls.ssl ||
			tls_step(&wire->tls, &wire->in, &wire->out,
				&wire->sealed, WIRE_MOST, &err) == 0))
		flush(wire);
}

void wire_close(struct wire *wire)
{
	if (wire->reads)
		event_free(wire->reads);
	if (wire->writes)
		event_free(wire->writes);
	tls_end(&wire->tls);
	bytes_free(&wire->in);
	bytes_free(&wire->out);
	bytes_free(&wire->sealed);
	if (wire->fd >= 0)
		(void)close(wire->fd);
	wire->reads = wire->writes = NULL;
	wire->fd = -1;
	wire->opened = false;
	wire->turn++;
}

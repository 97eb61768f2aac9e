/* SPDX-License-Identifier: MPL-2.0 */

/* A simulated TCP connection: what Linux does with it, in both directions. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sim.h"

/* What a socket has before anybody sets a size, see tcp(7). */
#define RECEIVE_BYTES 131072
#define SEND_BYTES    16384

void sim_bytes_add(struct sim_bytes *bytes, const void *data, size_t len)
{
	if (len == 0)
		return;
	if (bytes->at + bytes->len + len > bytes->room) {
		if (bytes->at)
			memmove(bytes->data, bytes->data + bytes->at,
				bytes->len);
		bytes->at = 0;
	}
	if (bytes->len + len > bytes->room) {
		bytes->room = 2 * (bytes->len + len);
		bytes->data = realloc(bytes->data, bytes->room);
		if (!bytes->data)
			sim_die("out of memory");
	}
	memcpy(bytes->data + bytes->at + bytes->len, data, len);
	bytes->len += len;
}

void sim_bytes_take(struct sim_bytes *bytes, void *to, size_t len)
{
	if (to && len)
		memcpy(to, bytes->data + bytes->at, len);
	bytes->at += len;
	bytes->len -= len;
	if (bytes->len == 0)
		bytes->at = 0;
}

static void drop(struct sim_bytes *bytes)
{
	bytes->at = bytes->len = 0;
}

static void wake(const struct sim_tcp *tcp)
{
	if (tcp->fd >= 0)
		sim_wake(tcp->fd);
}

/* What the client does. */

static struct sim_tcp *make(const struct sockaddr_in6 *from)
{
	struct sim_tcp *tcp = sim_alloc(sizeof(*tcp));

	tcp->from = *from;
	tcp->fd = -1;
	tcp->rcvbuf = RECEIVE_BYTES;
	tcp->sndbuf = SEND_BYTES;
	tcp->eager = true;
	tcp->rtt_us = 1000;
	return tcp;
}

struct sim_tcp *sim_connect(unsigned listener, const struct sockaddr_in6 *from)
{
	for (int fd = SIM_FD; fd < SIM_FD + SIM_FILES; fd++) {
		struct sim_file *file = sim_file(fd);
		struct sim_tcp *tcp;

		if (!file || file->kind != SIM_LISTENER ||
			!file->listener->listens || listener--)
			continue;
		if (file->listener->count == SIM_BACKLOG)
			return NULL;
		tcp = make(from);
		file->listener->queue[file->listener->count++] = tcp;
		sim_wake(fd);
		return tcp;
	}
	return NULL;
}

struct sim_tcp *sim_import(const struct sockaddr_in6 *from)
{
	struct sim_tcp *tcp = make(from);

	tcp->fd = sim_file_new(SIM_TCP, tcp);
	return tcp;
}

static bool fin_arrived(const struct sim_tcp *tcp)
{
	return tcp->up_fin && tcp->arrived == tcp->up.len;
}

/* A RST from the client's side arrives: what was to be sent is dropped, what
 * was received can be read. */
static void reset_arrives(struct sim_tcp *tcp)
{
	if (tcp->client_reset)
		return;
	tcp->client_reset = true;
	tcp->lost = tcp->up.len != tcp->arrived;
	tcp->up.len = tcp->arrived;
	drop(&tcp->down);
	tcp->error = fin_arrived(tcp) ? EPIPE : ECONNRESET;
	wake(tcp);
}

/* A RST from the server's side. */
static void server_resets(struct sim_tcp *tcp)
{
	tcp->server_reset = true;
	drop(&tcp->up);
	tcp->arrived = 0;
}

void sim_client_send(struct sim_tcp *tcp, const void *data, size_t len)
{
	if (tcp->client_reset || tcp->server_reset || tcp->up_fin)
		return;
	if (tcp->server_gone && len) {
		server_resets(tcp);
		return;
	}
	sim_bytes_add(&tcp->up, data, len);
	if (tcp->eager)
		sim_deliver(tcp, SIZE_MAX);
}

void sim_deliver(struct sim_tcp *tcp, size_t most)
{
	size_t window =
		tcp->rcvbuf > tcp->arrived ? tcp->rcvbuf - tcp->arrived : 0;
	size_t flight = tcp->up.len - tcp->arrived;
	size_t n = flight < most ? flight : most;

	if (n > window)
		n = window;
	if (tcp->client_reset || n == 0)
		return;
	tcp->arrived += n;
	wake(tcp);
}

size_t sim_client_take(struct sim_tcp *tcp, void *to, size_t most)
{
	size_t n = tcp->down.len < most ? tcp->down.len : most;

	sim_bytes_take(&tcp->down, to, n);
	tcp->acked += n;
	if (n && tcp->nospace && sim_tcp_writable(tcp)) {
		tcp->nospace = false;
		wake(tcp);
	}
	return n;
}

void sim_client_shutdown(struct sim_tcp *tcp)
{
	if (tcp->up_fin || tcp->client_reset || tcp->server_reset)
		return;
	tcp->up_fin = true;
	if (tcp->eager)
		sim_deliver(tcp, SIZE_MAX);
	wake(tcp);
}

void sim_client_reset(struct sim_tcp *tcp)
{
	reset_arrives(tcp);
	tcp->client_gone = true;
}

void sim_client_close(struct sim_tcp *tcp)
{
	if (tcp->down.len) { /* unread bytes */
		sim_client_reset(tcp);
		return;
	}
	sim_client_shutdown(tcp);
	tcp->client_gone = true;
}

bool sim_client_at_end(const struct sim_tcp *tcp)
{
	return !tcp->server_reset && !tcp->client_reset && tcp->down_fin &&
	       tcp->down.len == 0;
}

void sim_tcp_free(struct sim_tcp *tcp)
{
	free(tcp->up.data);
	free(tcp->down.data);
	free(tcp);
}

/* What the server does. */

static int take_error(struct sim_tcp *tcp)
{
	errno = tcp->error;
	tcp->error = 0;
	return -1;
}

/* A call that failed for another reason than a full or empty socket. */
static ssize_t broken(struct sim_tcp *tcp, int error)
{
	if (error == EAGAIN || error == EINTR) {
		wake(tcp); /* the reason is over at once */
	} else {
		reset_arrives(tcp);
		tcp->error = 0;
	}
	errno = error;
	return -1;
}

ssize_t sim_tcp_recv(struct sim_tcp *tcp, void *to, size_t len, int flags)
{
	int error = sim_fails(SIM_RECV);
	size_t n = tcp->arrived < len ? tcp->arrived : len;

	if (error)
		return broken(tcp, error);
	if (tcp->arrived == 0) {
		if (tcp->error)
			return take_error(tcp);
		if (fin_arrived(tcp) || tcp->client_reset)
			return 0;
		errno = EAGAIN;
		return -1;
	}
	if (flags & MSG_PEEK) {
		memcpy(to, tcp->up.data + tcp->up.at, n);
		return (ssize_t)n;
	}
	sim_bytes_take(&tcp->up, flags & MSG_TRUNC ? NULL : to, n);
	tcp->arrived -= n;
	tcp->read += n;
	tcp->discarded += flags & MSG_TRUNC ? n : 0;
	if (tcp->eager)
		sim_deliver(tcp, SIZE_MAX);
	return (ssize_t)n;
}

size_t sim_tcp_room(const struct sim_tcp *tcp)
{
	return tcp->sndbuf > tcp->down.len ? tcp->sndbuf - tcp->down.len : 0;
}

/* sk_stream_is_writeable(): a third is free. */
bool sim_tcp_writable(const struct sim_tcp *tcp)
{
	return sim_tcp_room(tcp) >= tcp->down.len / 2 + (tcp->down.len == 0);
}

ssize_t sim_tcp_send(struct sim_tcp *tcp, const void *data, size_t len)
{
	int error = sim_fails(SIM_SEND);
	size_t n = sim_tcp_room(tcp);

	if (error)
		return broken(tcp, error);
	if (tcp->error)
		return take_error(tcp);
	if (tcp->client_reset || tcp->down_fin) {
		errno = EPIPE;
		return -1;
	}
	if (n < len)
		tcp->nospace = true;
	if (n == 0 && len) {
		errno = EAGAIN;
		return -1;
	}
	n = n < len ? n : len;
	if (n && tcp->client_gone) {
		/* The bytes are under way; the answer is a RST. */
		tcp->written += n;
		reset_arrives(tcp);
		return (ssize_t)n;
	}
	sim_bytes_add(&tcp->down, data, n);
	tcp->written += n;
	return (ssize_t)n;
}

int sim_tcp_shutdown(struct sim_tcp *tcp)
{
	int error = sim_fails(SIM_SHUTDOWN);

	if (error)
		return (int)broken(tcp, error);
	if (tcp->client_reset) {
		errno = ENOTCONN;
		return -1;
	}
	tcp->down_fin = true;
	wake(tcp);
	return 0;
}

void sim_tcp_close(struct sim_tcp *tcp)
{
	tcp->fd = -1;
	tcp->server_gone = true;
	if (tcp->client_reset)
		return;
	if (tcp->reset_at_close || tcp->up.len) {
		drop(&tcp->down);
		server_resets(tcp);
	} else {
		tcp->down_fin = true;
	}
}

uint32_t sim_tcp_mask(struct sim_tcp *tcp)
{
	uint32_t mask = 0;

	if (tcp->error)
		mask |= EPOLLERR;
	if (tcp->client_reset)
		return mask | EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLRDHUP;
	if (tcp->arrived)
		mask |= EPOLLIN;
	if (fin_arrived(tcp))
		mask |= EPOLLIN | EPOLLRDHUP |
			(tcp->down_fin ? (uint32_t)EPOLLHUP : 0);
	if (tcp->down_fin || sim_tcp_writable(tcp))
		mask |= EPOLLOUT;
	else
		tcp->nospace = true;
	return mask;
}

void sim_tcp_resized(struct sim_tcp *tcp)
{
	if (tcp->eager)
		sim_deliver(tcp, SIZE_MAX);
	if (tcp->nospace && sim_tcp_writable(tcp)) {
		tcp->nospace = false;
		wake(tcp);
	}
}

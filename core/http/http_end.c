/* SPDX-License-Identifier: MPL-2.0 */

/* How HTTP connections end. */

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/http_conn.h"
#include "http/http_end.h"

#define DISCARD_MAX 65536 /* bytes read and thrown away after an answer */

bool http_end_arrived(const struct http_conn *conn)
{
	struct pollfd look = {.fd = conn->fd};
	int left = 0;

	if (ioctl(conn->fd, SIOCOUTQ, &left) == 0 && left == 0)
		return true;
	/* A reset drops what is left, but the kernel still tells the number. */
	return poll(&look, 1, 0) == 1 && (look.revents & POLLERR) != 0;
}

static void leave(struct http_conn *conn)
{
	conn->owner->gone(conn);
	http_conn_free(conn);
}

/* A reset discards what the peer has not read.  Otherwise the kernel would hold
 * those bytes for minutes, and no bound would count them. */
void http_end(struct http_conn *conn)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	if (!http_end_arrived(conn)) {
		(void)setsockopt(
			conn->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		http_count(HTTP_CUT, 0, 1);
	}
	leave(conn);
}

/* Whether one more may leave its last answer to the kernel. */
static bool may_owe(struct http_owner *owner)
{
	int64_t now_ms = clock_ms();

	if (now_ms - owner->owing_ms >= HTTP_OWED_MS) {
		owner->owing_ms = now_ms;
		owner->owing = 0;
	}
	if (owner->owing >= HTTP_OWED_MOST)
		return false;
	owner->owing++;
	return true;
}

void http_end_owing(struct http_conn *conn)
{
	const unsigned most_ms = HTTP_OWED_MS;

	if (http_end_arrived(conn) ||
		(!conn->unsent && may_owe(conn->owner) &&
			setsockopt(conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
				&most_ms, sizeof(most_ms)) == 0))
		leave(conn);
	else
		http_end(conn);
}

/*
 * The last answer is written.  If input were left unread, close(2) would send a
 * reset, and the client might lose the answer: so the connection lingers.
 */
void http_end_finish(struct http_conn *conn, bool unread)
{
	http_conn_forget_input(conn);
	if (!unread && !http_conn_has_input(conn) && http_end_arrived(conn)) {
		leave(conn);
		return;
	}
	(void)shutdown(conn->fd, SHUT_WR);
	http_conn_enter(conn, HTTP_LINGERING);
	(void)event_add(conn->readable, NULL);
}

/* The peer has shut down its sending side; it may still read. */
void http_end_heard(struct http_conn *conn)
{
	http_conn_forget_input(conn);
	if (http_end_arrived(conn)) {
		leave(conn);
		return;
	}
	(void)shutdown(conn->fd, SHUT_WR);
	if (conn->state != HTTP_LINGERING)
		http_conn_enter(conn, HTTP_LINGERING);
	/* After the peer's FIN a socket is always readable.
	 * http_timeouts_check() finds out when the peer has everything. */
	(void)event_del(conn->readable);
}

void http_end_discard(struct http_conn *conn)
{
	ssize_t n = http_conn_discard(conn);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	conn->discarded += n > 0 ? (size_t)n : 0;
	if (n == 0)
		http_end_heard(conn);
	else if (n < 0 || conn->discarded > DISCARD_MAX)
		http_end(conn);
}

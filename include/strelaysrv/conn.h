/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections: accepted sockets, TLS or plain by their first byte.
 *
 * A connection belongs to one worker: all functions here are [W], on that
 * worker. relay_conn_close() or the server ends it; both call the conn_close
 * notices.  After that it must not be used.
 */
#ifndef RELAY_CONN_H
#define RELAY_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/hooks.h>

#ifdef __cplusplus
extern "C" {
#endif

struct relay_conn;
struct relay_ctx;

/* Room for "[2001:db8::1]:65535" and its NUL. */
#define RELAY_ADDR_TEXT 64

/*
 * The module's block of conn_size bytes, zeroed when the connection was
 * accepted.  NULL when the connection is older than the module's start.
 */
void *relay_conn_data(
	const struct relay_ctx *cx, const struct relay_conn *conn);

/*
 * A number that identifies the connection on its worker.  It is never reused
 * and never 0.  Other threads keep it instead of the pointer.  It changes when
 * the connection moves to another worker.
 */
uint64_t relay_conn_id(const struct relay_conn *conn);
/* The connection of that id on the calling worker, or NULL if it has ended. */
struct relay_conn *relay_conn_find(struct relay_ctx *cx, uint64_t id);

bool relay_conn_is_tls(const struct relay_conn *conn);
/*
 * The device ID (32 bytes) that the peer proved in its TLS handshake: SHA-256
 * of its certificate.  NULL unless it sent exactly one certificate.  Without
 * TLS: the ID set by relay_conn_set_peer(), else NULL.
 */
const uint8_t *relay_conn_peer(const struct relay_conn *conn);
/*
 * Sets the device ID of a plain connection, for a module that knows it by other
 * means (a key that was given to one device).  Call it before
 * relay_session_pair(), so that the session's hooks can read both IDs:
 * relay_conn_peer(relay_session_side(...)).
 */
void relay_conn_set_peer(
	struct relay_conn *conn, const uint8_t id[RELAY_DEVICE_ID_LEN]);
/* How many certificates the peer sent: 0, 1, or 2 for two or more. */
unsigned relay_conn_peer_certs(const struct relay_conn *conn);

/* The peer's address; an IPv4 peer on an IPv6 socket counts as IPv4. */
void relay_conn_sockaddr(
	const struct relay_conn *conn, struct sockaddr_storage *out);
const char *relay_conn_addr_text(
	const struct relay_conn *conn, char out[RELAY_ADDR_TEXT]);

/*
 * Where the connection came in.  `local`: the address and port that the peer
 * connected to, as this machine saw it: before a rule of its firewall sent the
 * connection elsewhere; IPv4 on an IPv6 socket as IPv4.  If a proxy named port
 * 0, the port of its own connection.  `listener`: what the
 * listening socket is bound to, one of relay_listen_address() unless a reload
 * has removed it; AF_UNSPEC if another process accepted the connection and
 * nobody listens there now.
 * Returns 0, or -1 if `local` is unknown.  Takes two system calls.  Since API
 * 1.7.
 */
int relay_conn_local(const struct relay_conn *conn,
	struct sockaddr_storage *local, struct sockaddr_storage *listener);

/*
 * Never blocks.  Returns the number of bytes read; 0 if no data is available
 * now; -1 if the peer closed or the connection failed: the server then closes
 * it when the hook returns.  Never reads ahead: bytes beyond `len` stay in the
 * socket, so that a session can start at the very next byte.
 */
ssize_t relay_conn_read(struct relay_conn *conn, void *buf, size_t len);

/*
 * Copies the first of the bytes that relay_conn_read() would read, and leaves
 * them there.  Only plain connections; conn_open may call it, to tell its
 * protocol from others.  Returns how many were copied; 0 if none has come; -1
 * if the peer closed, the connection failed, or it has TLS.  Behind bytes the
 * end is not seen: set a deadline for what never becomes whole.  A system call.
 * Since API 1.8.
 */
ssize_t relay_conn_peek(const struct relay_conn *conn, void *buf, size_t len);

/*
 * Marks a connection that this module took as settled: its peer has joined, or
 * what it wants has begun otherwise.  relay_session_pair() does the same for
 * both sides.  Until then a connection is a stranger: it does not count against
 * max-connections, and it is closed when room is needed.  The first call runs
 * the notice conn_settled.
 */
void relay_conn_settled(struct relay_conn *conn);
/* How many strangers this worker has. */
unsigned relay_conn_strangers(struct relay_ctx *cx);
/*
 * Closes one stranger of this worker, other than `conn`: of the source with the
 * most strangers, the one that has sent the least.  False if there is none.
 */
bool relay_conn_make_room(struct relay_ctx *cx, const struct relay_conn *conn);

/* Makes the server call conn_readable again in the next iteration. */
void relay_conn_again(struct relay_conn *conn);

/*
 * While a connection waits, its module does not read from it, and the server
 * closes it (RELAY_END_EOF) when the peer has closed or sends no more, whatever
 * is unread.  While the module waits for an answer (question.h), the server
 * does so without this call.  Since API 1.8.
 */
void relay_conn_waits(struct relay_conn *conn, bool waits);

/*
 * Sends `buf`, and queues up to RELAY_CONN_QUEUE bytes that the socket does not
 * take.  Returns 0, or -1 if the queue would exceed that size: then nothing of
 * this call was sent or queued, and the caller closes the connection with
 * RELAY_END_OVERFLOW.
 */
#define RELAY_CONN_QUEUE 16384
int relay_conn_write(struct relay_conn *conn, const void *buf, size_t len);

/*
 * Calls conn_deadline once, `after_ms` from now, at most 0.2 s late.  A new
 * call replaces the previous deadline; -1 removes it.  Until a module calls
 * this, an accepted connection has 60 s to be taken.  A deadline that expires
 * before RELAY_TAKE closes the connection.
 */
void relay_conn_deadline(struct relay_conn *conn, int64_t after_ms);

/* Enables TCP keep-alive: probes begin after `idle_ms` of silence. */
void relay_conn_keepalive(struct relay_conn *conn, int64_t idle_ms);

/*
 * Closes the connection.  The notices run before this returns.  Queued data is
 * still delivered, without a reset, if the peer reads it within a short time.
 * With RELAY_END_RESET, TIMEOUT or OVERFLOW queued data is dropped, and the
 * peer gets a reset if its kernel has not received all that was sent.
 */
void relay_conn_close(struct relay_conn *conn, enum relay_reason reason);

/*
 * Moves a plain connection that this module took to another worker; `then` runs
 * there with a copy of the `len` bytes at `arg` (512 at most).  The caller must
 * not use the connection afterwards.  If it cannot be moved, it is closed, and
 * `then` never runs.  Data blocks move with it; the id changes.
 */
#define RELAY_MOVE_ARG 512
typedef void relay_conn_moved_fn(
	struct relay_ctx *cx, struct relay_conn *conn, const void *arg);
void relay_conn_move(struct relay_ctx *cx, struct relay_conn *conn, int worker,
	relay_conn_moved_fn *then, const void *arg, size_t len);

/*
 * For use after an upgrade, while the old process still drains: passes a plain
 * connection that only the old process can recognize back to it, together with
 * the `len` bytes (RELAY_HAND_BACK at most) already read from it.  The old
 * process opens it like a newly accepted connection and reads those bytes
 * again.  Nothing may have been written to it.  [W] Returns 0 if the connection
 * was passed on and has ended here (RELAY_END_MOVED).  Returns -1, and the
 * connection stays, if there is no old process or it takes none.
 */
#define RELAY_HAND_BACK 512
int relay_conn_hand_back(struct relay_ctx *cx, struct relay_conn *conn,
	const void *read, size_t len);

/*
 * For use in the old process of an upgrade (RELAY_DRAIN_MOVE): passes on to the
 * new one a plain connection that waits for another one, which may come there,
 * together with the `len` bytes (RELAY_HAND_BACK at most) already read from it.
 * The new process opens it like a newly accepted connection of the same
 * listener and reads those bytes again.  Nothing may have been written to it.
 * Unless the answer is RELAY_PASSED_ON, the connection stays.  [W] Since
 * API 1.8.
 */
enum relay_pass_on {
	RELAY_PASSED_ON = 0, /* it has ended here (RELAY_END_MOVED) */
	/* The new process has not read yet what was passed on before, or memory
	 * is short: try again some milliseconds later, this one and others. */
	RELAY_PASS_ON_LATER,
	/* There is no new process, or this connection cannot be passed on: do
	 * not try again before the next notice `drain`. */
	RELAY_PASS_ON_NEVER,
};
enum relay_pass_on relay_conn_pass_on(struct relay_ctx *cx,
	struct relay_conn *conn, const void *read, size_t len);

/*
 * Adds a protocol name that TLS clients may request by ALPN (RFC 7301).  [C]
 * init only.  A client that offers no name is served; one that offers only
 * unknown names is refused.
 */
int relay_conn_alpn(struct relay_ctx *cx, const char *name);

#ifdef __cplusplus
}
#endif

#endif

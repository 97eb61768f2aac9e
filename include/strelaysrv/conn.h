/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections: accepted sockets, TLS or plain by their first byte.
 *
 * A connection belongs to one worker, and all of this is [W] there.  It ends
 * through relay_conn_close() or through the server, always with the conn_close
 * notices; after either, it must not be touched.
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

struct relay_conn;
struct relay_ctx;

/* For "[2001:db8::1]:65535" and its NUL. */
#define RELAY_ADDR_TEXT 64

/*
 * The module's block of conn_size bytes, zeroed when the connection was
 * accepted.  NULL when the connection is older than the module's start.
 */
void *relay_conn_data(
	const struct relay_ctx *cx, const struct relay_conn *conn);

/*
 * A number that names the connection on its worker as long as it lives and is
 * not given again; what other threads keep instead of the pointer.  It changes
 * when the connection moves.  Never 0.
 */
uint64_t relay_conn_id(const struct relay_conn *conn);
/* The connection of that id on the calling worker, or NULL if it has ended. */
struct relay_conn *relay_conn_find(struct relay_ctx *cx, uint64_t id);

bool relay_conn_is_tls(const struct relay_conn *conn);
/*
 * The device ID (32 bytes) that the peer proved in its TLS handshake: SHA-256
 * of its certificate.  NULL when it sent other than exactly one certificate.
 * Without TLS: what relay_conn_set_peer() said, else NULL.
 */
const uint8_t *relay_conn_peer(const struct relay_conn *conn);
/*
 * Says whose a plain connection is, for a module that knows it by other means
 * (a key that was given to one device).  Before relay_session_pair(), so that
 * the session's hooks know both: relay_conn_peer(relay_session_side(...)).
 */
void relay_conn_set_peer(
	struct relay_conn *conn, const uint8_t id[RELAY_DEVICE_ID_LEN]);
/* How many certificates it sent: 0, 1, or 2 for more. */
unsigned relay_conn_peer_certs(const struct relay_conn *conn);

/* The peer's address; an IPv4 peer on an IPv6 socket counts as IPv4. */
void relay_conn_sockaddr(
	const struct relay_conn *conn, struct sockaddr_storage *out);
const char *relay_conn_addr_text(
	const struct relay_conn *conn, char out[RELAY_ADDR_TEXT]);

/*
 * Never blocks.  More than 0: that many bytes.  0: nothing there now.  -1: the
 * peer ended or failed; the server closes the connection when the hook returns.
 * What is not asked for stays in the socket, so that a session can start on the
 * very next byte.
 */
ssize_t relay_conn_read(struct relay_conn *conn, void *buf, size_t len);

/*
 * The peer of a connection that this module took has shown that it is worth its
 * place: it joined, or brought a key that is known.  Until then a connection is
 * a stranger: it does not count against max-connections, and it is closed when
 * room is needed.  Calls the notice conn_settled, once.  One that is moved has
 * settled.
 */
void relay_conn_settled(struct relay_conn *conn);
/* How many strangers this worker has. */
unsigned relay_conn_strangers(struct relay_ctx *cx);
/*
 * Closes a stranger of this worker, which is not `conn`: who has said least of
 * the source that has most of them.  False: there is none.
 */
bool relay_conn_make_room(struct relay_ctx *cx, const struct relay_conn *conn);

/* As if conn_readable were due: it is called again in the next turn. */
void relay_conn_again(struct relay_conn *conn);

/*
 * Sends, and queues what the socket does not take, up to RELAY_CONN_QUEUE
 * bytes.  0, or -1 when the queue would pass that (nothing of this call was
 * queued or sent): the caller then closes with RELAY_END_OVERFLOW.
 */
#define RELAY_CONN_QUEUE 16384
int relay_conn_write(struct relay_conn *conn, const void *buf, size_t len);

/*
 * conn_deadline comes once, `after_ms` from now, at most 0.2 s late; a new call
 * replaces the last; -1: none.  Until a module calls it, an accepted connection
 * has 60 s to be taken.  Before RELAY_TAKE the deadline closes the connection.
 */
void relay_conn_deadline(struct relay_conn *conn, int64_t after_ms);

/* TCP keep-alive: probes begin after `idle_ms` of silence. */
void relay_conn_keepalive(struct relay_conn *conn, int64_t idle_ms);

/*
 * Ends it.  The notices run before this returns.  What was queued is still
 * delivered if the peer takes it within a short time, and is not cut off by a
 * reset; with RELAY_END_RESET, TIMEOUT or OVERFLOW it is dropped, and the peer
 * gets a reset if its kernel has not taken all that was sent to it.
 */
void relay_conn_close(struct relay_conn *conn, enum relay_reason reason);

/*
 * Hands a plain connection that this module took to another worker; `then` runs
 * there with a copy of the `len` bytes at `arg` (512 at most).  The caller lets
 * go of it.  If it cannot be handed over it is closed, and `then` never runs.
 * Data blocks move along; the id changes.
 */
#define RELAY_MOVE_ARG 512
typedef void relay_conn_moved_fn(
	struct relay_ctx *cx, struct relay_conn *conn, const void *arg);
void relay_conn_move(struct relay_ctx *cx, struct relay_conn *conn, int worker,
	relay_conn_moved_fn *then, const void *arg, size_t len);

/*
 * After an upgrade, while the process that this one took over from still
 * drains: hands it a plain connection that only that one can know, with the
 * `len` bytes (RELAY_HAND_BACK at most) that were read from it.  There it is
 * opened as if newly accepted, and those bytes are read again.  Nothing may
 * have been written to it.  [W]  0: it has ended here (RELAY_END_MOVED).  -1:
 * there is no such process, or it takes none: it stays.
 */
#define RELAY_HAND_BACK 512
int relay_conn_hand_back(struct relay_ctx *cx, struct relay_conn *conn,
	const void *read, size_t len);

/*
 * A protocol name that TLS clients may ask for by ALPN (RFC 7301).  [C] init
 * only.  A client that offers none is served; one that offers only names that
 * no module gave is refused.
 */
int relay_conn_alpn(struct relay_ctx *cx, const char *name);

#endif

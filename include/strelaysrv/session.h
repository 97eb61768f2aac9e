/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Sessions: two plain connections whose bytes are forwarded to each other.
 *
 * All of this is [W], on the worker that owns both connections.
 */
#ifndef RELAY_SESSION_H
#define RELAY_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/hooks.h>

#ifdef __cplusplus
extern "C" {
#endif

struct relay_conn;
struct relay_ctx;
struct relay_session;

/* The module's block of session_size bytes; NULL as with relay_conn_data(). */
void *relay_session_data(
	const struct relay_ctx *cx, const struct relay_session *session);

/* As with connections; no session id equals a connection id.  A session keeps
 * its id, and its connections theirs, when it moves to another worker. */
uint64_t relay_session_id(const struct relay_session *session);
/* NULL: it has ended, or is on another worker, see relay_session_post(). */
struct relay_session *relay_session_find(struct relay_ctx *cx, uint64_t id);

/* `session` is NULL if it has ended. */
typedef void relay_session_post_fn(
	struct relay_ctx *cx, struct relay_session *session, const void *arg);
/*
 * Runs `fn` once: on the worker where the session is then, or, if it has ended,
 * on any worker.  As relay_post() otherwise.  [*]  Since API 1.8.
 */
int relay_session_post(struct relay_ctx *cx, uint64_t id,
	relay_session_post_fn *fn, const void *arg, size_t len);
/* The same for a connection, which may be a side of a session. */
typedef void relay_conn_post_fn(
	struct relay_ctx *cx, struct relay_conn *conn, const void *arg);
int relay_conn_post(struct relay_ctx *cx, uint64_t id, relay_conn_post_fn *fn,
	const void *arg, size_t len);

/*
 * Asks the server to move the session to another worker, soon.  It stays if
 * that is not possible now, such as during a reload or a stop; nobody is told.
 * Since API 1.8.
 */
void relay_session_move(struct relay_session *session, int to);

/* Side 0 or 1, in the order given to relay_session_pair(). */
struct relay_conn *relay_session_side(
	const struct relay_session *session, int side);

/* The name of the module that has paired them.  Valid as long as the process.
 * Since API 1.8.  [W] */
const char *relay_session_protocol(const struct relay_session *session);

/* How many bytes from that side have been forwarded so far.  [W] */
uint64_t relay_session_passed(const struct relay_session *session, int side);

/*
 * Pairs two plain connections that the calling module took.  The session_open
 * filters are called first; the pairing may also fail while all sessions
 * together hold more than session-memory.  Data queued for either side is sent
 * first. From then on conn_readable and conn_deadline are not called for both;
 * every byte and each half-close is forwarded.  The session ends when both
 * directions have ended, when one side is reset, when no byte moved for
 * `idle_ms`, or when it holds too much kernel memory.
 *
 * Returns the session, or NULL.  In both cases the server now owns both
 * connections; if NULL, they are already closed.
 */
struct relay_session *relay_session_pair(struct relay_ctx *cx,
	struct relay_conn *a, struct relay_conn *b, int64_t idle_ms);

/* Since when no byte has moved, in milliseconds.  [W] */
int64_t relay_session_idle_for(const struct relay_session *session);

/* Changes the idle timeout, counted from now.  [W] */
void relay_session_idle(struct relay_session *session, int64_t idle_ms);

/*
 * Disables or enables this module's session_grant and session_sent on the
 * calling worker; they are enabled at worker_start.  [W] A module that has
 * nothing to limit at the moment disables them to save their cost.  Do not call
 * this from within these two hooks.
 */
void relay_session_hooks(struct relay_ctx *cx, bool on);

/* Ends the session and both connections; notices run before this returns. */
void relay_session_close(
	struct relay_session *session, enum relay_reason reason);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Sessions: two plain connections whose bytes are passed to each other.
 *
 * All of this is [W], on the worker that owns both connections.
 */
#ifndef RELAY_SESSION_H
#define RELAY_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/hooks.h>

struct relay_conn;
struct relay_ctx;
struct relay_session;

/* The module's block of session_size bytes; NULL as with relay_conn_data(). */
void *relay_session_data(
	const struct relay_ctx *cx, const struct relay_session *session);

/* As with connections; session ids and connection ids never meet. */
uint64_t relay_session_id(const struct relay_session *session);
struct relay_session *relay_session_find(struct relay_ctx *cx, uint64_t id);

/* Side 0 or 1, in the order given to relay_session_pair(). */
struct relay_conn *relay_session_side(
	const struct relay_session *session, int side);

/* How many bytes of that side's have been passed on so far.  [W] */
uint64_t relay_session_passed(const struct relay_session *session, int side);

/*
 * Joins two plain connections that the calling module took; what was queued for
 * either goes out first.  From then on conn_readable and conn_deadline stay
 * silent for both, every byte and each half-close is passed on, and the session
 * ends when both directions have ended, when one is reset, or when no byte
 * moved for `idle_ms`, or when it makes the kernel hold too much.  The
 * session_open filters are asked first; none begins while all together hold
 * more than session-memory.
 *
 * Returns the session, or NULL; either way both connections now belong to the
 * server, and when NULL they are already closed.
 */
struct relay_session *relay_session_pair(struct relay_ctx *cx,
	struct relay_conn *a, struct relay_conn *b, int64_t idle_ms);

/* Another bound on silence, which counts from now.  [W] */
void relay_session_idle(struct relay_session *session, int64_t idle_ms);

/*
 * Switches this module's session_grant and session_sent on the calling worker
 * off, or on again; they are on from worker_start on.  [W]  One that has
 * nothing to limit at the moment switches them off, and transfers cost what
 * they cost without it.  Not from within these two hooks.
 */
void relay_session_hooks(struct relay_ctx *cx, bool on);

/* Ends it and both its connections; the notices run before this returns. */
void relay_session_close(
	struct relay_session *session, enum relay_reason reason);

#endif

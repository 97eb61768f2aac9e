/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Hooks: where a module is asked, or told, about connections and sessions.
 *
 * All but `drain` and `reload_*` run on the worker that owns the object, must
 * not block, and cost nothing when no module fills them in.  A filter is asked
 * in the order of `modules` in the configuration; the first answer other than
 * RELAY_PASS settles it.  Any value that is no verdict counts as RELAY_DENY and
 * is logged with the module's name: filters fail closed.  A filter answers and
 * does nothing to the object: ending it is the server's part.  Notices go to
 * all, closing ones in reverse order.
 */
#ifndef RELAY_HOOKS_H
#define RELAY_HOOKS_H

#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/server.h>

struct relay_conn;
struct relay_ctx;
struct relay_err;
struct relay_session;

enum relay_verdict {
	RELAY_PASS = 1, /* no objection: ask the next module */
	RELAY_DENY = 2, /* refuse: nobody else is asked */
	RELAY_TAKE = 3, /* conn_open only: this module speaks for it */
};

/* Why a filter refused; what the protocol module tells the peer. */
enum relay_refusal {
	RELAY_REFUSE_POLICY, /* not wanted: an access list, say */
	RELAY_REFUSE_FULL,   /* no room now, come back later */
	RELAY_REFUSE_ABSENT, /* the one asked for is not there */
	RELAY_REFUSE_SECRET, /* the token is missing or wrong */
	RELAY_REFUSE_TAKEN,  /* somebody else is in its place */
};

/*
 * Filled by a filter that denies.  `word` is a short constant that counts and
 * logs use ("per-source", "quota"), never made from what the peer sent; it must
 * live as long as the module.
 */
struct relay_denial {
	enum relay_refusal refusal;
	const char *word;
};

/* Why a connection or a session ended. */
enum relay_reason {
	RELAY_END_EOF,       /* the peer closed */
	RELAY_END_RESET,     /* the peer broke off, or the network did */
	RELAY_END_TIMEOUT,   /* nothing came in time */
	RELAY_END_TLS,       /* the handshake or a record was wrong */
	RELAY_END_DENIED,    /* a filter or the protocol refused */
	RELAY_END_PROTOCOL,  /* the peer broke the protocol */
	RELAY_END_OVERFLOW,  /* the peer did not read what it was sent */
	RELAY_END_DONE,      /* all was said */
	RELAY_END_PEER_LOST, /* the other one it depends on is gone */
	RELAY_END_REPLACED,  /* a newer connection took its place */
	RELAY_END_LIMIT,     /* a bound of the server's */
	RELAY_END_STOP,      /* the server stops */
	RELAY_END_WITHDRAWN, /* only told: the module is leaving, not it */
	RELAY_END_ERROR,     /* the server's own trouble: memory, a syscall */
	RELAY_END_MOVED,     /* another process has it now */
	RELAY_END_STALLED,   /* a reader took next to nothing of what waits */
	RELAY_END_PRESSURE,  /* the kernel's memory for sessions is short */
	RELAY_END_COUNT
};

/* The word of a reason, as in logs and metric labels: "eof".  [*] */
const char *relay_reason_word(enum relay_reason reason);

/*
 * Filter.  A connection was accepted; nothing was read from it yet.  Silence
 * admits.  relay_conn_is_tls() and relay_conn_peer() have no answer yet.
 */
typedef enum relay_verdict relay_conn_accept_fn(struct relay_ctx *cx,
	struct relay_conn *conn, struct relay_denial *why);

/*
 * Filter.  The first byte is there and, where it began a TLS handshake, the
 * handshake is done.  The module that answers RELAY_TAKE gets conn_readable and
 * conn_deadline for this connection.  No TAKE from anyone closes it.
 */
typedef enum relay_verdict relay_conn_open_fn(struct relay_ctx *cx,
	struct relay_conn *conn, struct relay_denial *why);

/*
 * To the module that took it: bytes, or the end, may be there.  Read until
 * relay_conn_read() gives 0, or call relay_conn_again(): no further call comes
 * for bytes that were left unread.  Called once right after RELAY_TAKE.
 */
typedef void relay_conn_readable_fn(
	struct relay_ctx *cx, struct relay_conn *conn);

/* To the module that took it: the time set by relay_conn_deadline() is over. */
typedef void relay_conn_deadline_fn(
	struct relay_ctx *cx, struct relay_conn *conn);

/*
 * Filter, asked through relay_ask_join().  A peer of proven identity wants to
 * be reachable; `token` is what it brought, possibly "".  Silence admits.
 */
typedef enum relay_verdict relay_peer_join_fn(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token, struct relay_denial *why);

/*
 * Filter, asked through relay_ask_connect().  The peer of `conn` wants to be
 * connected to the device `target` (32 bytes).  Silence admits.
 */
typedef enum relay_verdict relay_peer_connect_fn(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why);

/*
 * Filter, asked through relay_ask_stay() now and then, at least once in each
 * ping interval of a relay: may a peer stay that was let in by peer_join, and
 * that has no session at the moment?  For rules that have changed since.
 * Silence lets it stay.
 */
typedef enum relay_verdict relay_peer_stay_fn(struct relay_ctx *cx,
	struct relay_conn *conn, struct relay_denial *why);

/* What a peer tries that may fail. */
enum relay_try {
	RELAY_TRY_JOIN,    /* with a token */
	RELAY_TRY_CONNECT, /* to a device that may be absent */
};

/*
 * Filter, asked through relay_ask_try() before anything is compared or looked
 * up for a peer, so that guessing has its price.  Silence admits.
 */
typedef enum relay_verdict relay_peer_try_fn(struct relay_ctx *cx,
	struct relay_conn *conn, enum relay_try what, struct relay_denial *why);
/* Notice, by relay_tell_failed(): what was tried was wrong. */
typedef void relay_peer_failed_fn(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_try what);

/* Notice, by relay_conn_settled(): it has shown that it is worth its place. */
typedef void relay_conn_settled_fn(
	struct relay_ctx *cx, struct relay_conn *conn);

/* Filter.  Two connections are about to be paired.  Silence admits. */
typedef enum relay_verdict relay_session_open_fn(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why);

/*
 * How many of `len` bytes from side 0 or 1 may go now?  The smallest answer of
 * all modules wins; below `len`, *wait_ms (1 or more) says when to ask again
 * if it is 0.  Charge nothing here: session_sent tells what really went.
 */
typedef size_t relay_session_grant_fn(struct relay_ctx *cx,
	struct relay_session *session, int from, size_t len, unsigned *wait_ms);

/*
 * Notice.  `len` bytes from side `from` were taken in to be passed on.  Neither
 * here nor in session_grant may the session be closed: post that to oneself.
 */
typedef void relay_session_sent_fn(struct relay_ctx *cx,
	struct relay_session *session, int from, size_t len);

/*
 * Notices, once for each object that the module was asked about or, without
 * the filter, would have been, admitted or not.  The object cannot be read from
 * or written to any more.
 */
typedef void relay_session_close_fn(struct relay_ctx *cx,
	struct relay_session *session, enum relay_reason reason);
typedef void relay_conn_close_fn(struct relay_ctx *cx, struct relay_conn *conn,
	enum relay_reason reason);

/*
 * Notices: the module's options have changed, and cx->conf has them already.
 * Of each connection that it took and that is in no session, and of each
 * session: times that were set by the old ones can be set anew.
 */
typedef void relay_conn_reload_fn(
	struct relay_ctx *cx, struct relay_conn *conn);
typedef void relay_session_reload_fn(
	struct relay_ctx *cx, struct relay_session *session);

/*
 * Notice, [C], about the server as a whole: a drain has begun and goes on, or,
 * with RELAY_DRAIN_NONE, was called off.  Also with that, before another
 * process is started that may take over: what it reads must be up to date in
 * files.  Called at once and then every second while it lasts, so that a module
 * that a reload brings hears of it, too. Returns how many peers and promises
 * the module still waits for besides the sessions, which the server counts
 * itself: 0 ends the drain as soon as all modules say so.
 */
typedef int64_t relay_drain_fn(struct relay_ctx *cx, enum relay_drain how);

/*
 * A reload, [C], of a module that runs before and after it: either all of the
 * new configuration comes into force, or all of the old one stays.
 *
 * reload_prepare does all that can fail while the old configuration is in
 * force: it allocates, opens and parses what `conf`, the new options, asks for,
 * and keeps the result aside in cx->data.  cx->conf still has the old options;
 * relay_option_get() gives the new ones of all modules.  It changes nothing
 * that anybody could notice.  Returns 0; or -1 with err, which is logged, and
 * then the module keeps nothing.
 *
 * Exactly one of these two follows, with no timer, message or other event of
 * the control thread in between:
 *
 * reload_commit puts it in force and cannot fail.  cx->conf has the new options
 * on every thread.  Workers may have called hooks with the new options and the
 * old data for a moment.
 *
 * reload_abandon frees it, because something else failed and the old
 * configuration stays.  It is not called if the module's own reload_prepare
 * failed.
 *
 * Order: `check` of all modules; init, start and worker_start of those that
 * come; reload_prepare of those that stay; reload_commit of those that stay;
 * `reload` of those that stay; stop and fini of those that leave; `ready` of
 * those that came.  Within each step modules are called in the order of
 * `modules`, for reload_abandon, stop and fini in reverse.
 *
 * If a reload is abandoned, the server removes the timers that were added in
 * reload_prepare, and forgets what relay_metric_relabel() was told there, which
 * otherwise takes effect with the commit.  Everything else that init registers
 * (metrics, routes, services, sinks, ALPN names) is refused in reload_prepare.
 *
 * A module without reload_prepare, or built for an API before 1.2, only has
 * `reload`.  That is too late to refuse: if something fails there, the module
 * has to go on with a part of the old configuration, although the reload has
 * succeeded.
 */
typedef int relay_reload_prepare_fn(
	struct relay_ctx *cx, const void *conf, struct relay_err *err);
typedef void relay_reload_commit_fn(struct relay_ctx *cx);
typedef void relay_reload_abandon_fn(struct relay_ctx *cx);

/* Every hook on workers, in two lists: the dispatcher is made from them. */
#define RELAY_HOOKS(X)                                                         \
	X(conn_accept)                                                         \
	X(conn_open)                                                           \
	X(conn_readable)                                                       \
	X(conn_deadline)                                                       \
	X(peer_join)                                                           \
	X(peer_connect)                                                        \
	X(peer_stay)                                                           \
	X(session_open)                                                        \
	X(session_grant)                                                       \
	X(session_sent)                                                        \
	X(session_close)                                                       \
	X(conn_close)                                                          \
	X(conn_reload)                                                         \
	X(session_reload)

#define RELAY_HOOKS_1_1(X)                                                     \
	X(conn_settled)                                                        \
	X(peer_try)                                                            \
	X(peer_failed)

/* NULL: not interested, and never called. */
struct relay_hooks {
#define X(name) relay_##name##_fn *name;
	RELAY_HOOKS(X)
#undef X
	relay_drain_fn *drain; /* [C], see above */
#define X(name) relay_##name##_fn *name;
	RELAY_HOOKS_1_1(X)
#undef X
	/* [C], see above */
	relay_reload_prepare_fn *reload_prepare;
	relay_reload_commit_fn *reload_commit;
	relay_reload_abandon_fn *reload_abandon;
};

/*
 * Asks all modules with that filter: peer_join, peer_connect, peer_stay.  [W]
 * Returns RELAY_PASS, or RELAY_DENY with *why filled and counted.
 */
enum relay_verdict relay_ask_join(struct relay_ctx *cx, struct relay_conn *conn,
	const char *token, struct relay_denial *why);
enum relay_verdict relay_ask_connect(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why);
enum relay_verdict relay_ask_stay(struct relay_ctx *cx, struct relay_conn *conn,
	struct relay_denial *why);
/* The same with peer_try, and the notice peer_failed.  [W] */
enum relay_verdict relay_ask_try(struct relay_ctx *cx, struct relay_conn *conn,
	enum relay_try what, struct relay_denial *why);
void relay_tell_failed(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_try what);

#endif

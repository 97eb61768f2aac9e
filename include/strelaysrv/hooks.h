/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Hooks: functions of a module that the server calls for connections and
 * sessions.  A filter decides whether something is allowed; a notice reports an
 * event.
 *
 * All hooks but `drain`, `reload_*` and `files_*` run on the worker that owns
 * the object and must not block.  A hook that no module sets costs nothing.
 * Filters are called in the order of `modules` in the configuration; the first
 * answer other than RELAY_PASS decides, see question.h for RELAY_WAIT.  An
 * invalid answer counts as RELAY_DENY and is logged with the module's name:
 * filters fail closed.  A filter must not change or close the object; the
 * server does that.  Notices go to all modules; close notices run in reverse
 * order.
 */
#ifndef RELAY_HOOKS_H
#define RELAY_HOOKS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/server.h>

#ifdef __cplusplus
extern "C" {
#endif

struct relay_asker;
struct relay_conn;
struct relay_ctx;
struct relay_err;
struct relay_found;
struct relay_session;

enum relay_verdict {
	RELAY_PASS = 1, /* no objection: call the next module */
	RELAY_DENY = 2, /* refuse: call no other module */
	RELAY_TAKE = 3, /* conn_open: this module owns the connection;
			 * peer_find: the device is known */
	RELAY_WAIT = 4, /* peer_join, peer_connect, peer_find: answered later,
			 * see question.h */
};

/* Why a filter refused; the protocol module tells the peer. */
enum relay_refusal {
	RELAY_REFUSE_POLICY, /* not allowed, for example by an access list */
	RELAY_REFUSE_FULL,   /* no room now, try again later */
	RELAY_REFUSE_ABSENT, /* the requested device is not connected */
	RELAY_REFUSE_SECRET, /* the token is missing or wrong */
	RELAY_REFUSE_TAKEN,  /* another connection has this device ID */
};

/*
 * Filled by a filter that denies.  `word` is a short constant for counters and
 * logs ("per-source", "quota").  It never contains data from the peer, and it
 * must stay valid as long as the module.
 */
struct relay_denial {
	enum relay_refusal refusal;
	const char *word;
};

/* Why a connection or a session ended. */
enum relay_reason {
	RELAY_END_EOF,       /* the peer closed */
	RELAY_END_RESET,     /* the peer or the network reset the connection */
	RELAY_END_TIMEOUT,   /* nothing came in time */
	RELAY_END_TLS,       /* the handshake or a record was invalid */
	RELAY_END_DENIED,    /* a filter or the protocol refused */
	RELAY_END_PROTOCOL,  /* the peer broke the protocol */
	RELAY_END_OVERFLOW,  /* the peer did not read what it was sent */
	RELAY_END_DONE,      /* completed normally */
	RELAY_END_PEER_LOST, /* the connection it depends on has ended */
	RELAY_END_REPLACED,  /* a newer connection took its place */
	RELAY_END_LIMIT,     /* a limit of the server was reached */
	RELAY_END_STOP,      /* the server stops */
	RELAY_END_WITHDRAWN, /* it goes on; only the module is removed */
	RELAY_END_ERROR,     /* an error in the server: memory, a syscall */
	RELAY_END_MOVED,     /* another process has it now */
	RELAY_END_STALLED,   /* the reader took almost none of its data */
	RELAY_END_PRESSURE,  /* kernel memory for sessions is short */
	RELAY_END_COUNT
};

/* The word for a reason in logs and metric labels: "eof".  [*] */
const char *relay_reason_word(enum relay_reason reason);

/*
 * Filter.  A connection was accepted; nothing was read from it yet.  Admitted
 * if no module denies. relay_conn_is_tls() and relay_conn_peer() are not known
 * yet.
 */
typedef enum relay_verdict relay_conn_accept_fn(struct relay_ctx *cx,
	struct relay_conn *conn, struct relay_denial *why);

/*
 * Filter.  The first byte has arrived; if it began a TLS handshake, the
 * handshake is complete.  The module that answers RELAY_TAKE gets conn_readable
 * and conn_deadline for this connection.  If no module takes it, it is closed.
 */
typedef enum relay_verdict relay_conn_open_fn(struct relay_ctx *cx,
	struct relay_conn *conn, struct relay_denial *why);

/*
 * Called for the module that took the connection: data or the end may be
 * available.  Read until relay_conn_read() returns 0, or call
 * relay_conn_again(): there is no further call for bytes that were left unread.
 * Also called once right after RELAY_TAKE.
 */
typedef void relay_conn_readable_fn(
	struct relay_ctx *cx, struct relay_conn *conn);

/* Called for the module that took the connection: its deadline has expired. */
typedef void relay_conn_deadline_fn(
	struct relay_ctx *cx, struct relay_conn *conn);

/*
 * Filter, called by relay_ask_join().  A peer of proven identity wants to join;
 * `token` is the token it sent, possibly "".  Admitted if no module denies.
 */
typedef enum relay_verdict relay_peer_join_fn(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token, struct relay_denial *why);

/*
 * Filter, called by relay_ask_connect().  The peer of `conn` wants to be
 * connected to the device `target` (32 bytes).  Admitted if no module denies.
 */
typedef enum relay_verdict relay_peer_connect_fn(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why);

/*
 * Called by relay_ask_find().  Since API 1.7.  The peer of `conn` wants to be
 * connected to the device `target`, which is not here.  A module that knows
 * where it is answers RELAY_TAKE with *found filled, or RELAY_WAIT; RELAY_PASS
 * asks the next one, RELAY_DENY refuses.
 */
typedef enum relay_verdict relay_peer_find_fn(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_found *found, struct relay_denial *why);

/*
 * Filter, called by relay_ask_stay() at least once per ping interval: may a
 * peer stay that peer_join admitted and that has no session at the moment?  For
 * rules that have changed since then.  The peer stays if no module denies.
 */
typedef enum relay_verdict relay_peer_stay_fn(struct relay_ctx *cx,
	struct relay_conn *conn, struct relay_denial *why);

/* Attempts of a peer that may fail. */
enum relay_try {
	RELAY_TRY_JOIN,    /* with a token */
	RELAY_TRY_CONNECT, /* to a device that may be absent */
};

/*
 * Filter, called by relay_ask_try() before a token is compared or a device is
 * looked up, so that guessing can be limited.  Admitted if no module denies.
 */
typedef enum relay_verdict relay_peer_try_fn(struct relay_ctx *cx,
	struct relay_conn *conn, enum relay_try what, struct relay_denial *why);
/* Notice, by relay_tell_failed(): the attempt failed. */
typedef void relay_peer_failed_fn(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_try what);

/*
 * Notices, by relay_tell_joined() and relay_tell_left().  Since API 1.8.  A
 * peer that peer_join admitted has joined: others can be connected to it.  It
 * has left: its connection has ended, or another connection of the same peer
 * has taken over on this server.
 *
 * Of one connection, peer_joined comes first and peer_left once, on the same
 * worker.  Two connections of one peer may belong to different workers, and
 * what these tell others may arrive in any order: the newer one's peer_joined
 * before the older one's peer_left.  So compare the worker and relay_conn_id()
 * before you forget a peer.
 *
 * peer_left may come after conn_close, and alone to a module that a reload has
 * added since the peer joined.
 */
typedef void relay_peer_joined_fn(
	struct relay_ctx *cx, struct relay_conn *conn);
typedef void relay_peer_left_fn(struct relay_ctx *cx, struct relay_conn *conn);

/* A peer of another server, which has no connection here. */
struct relay_asker {
	uint8_t id[RELAY_DEVICE_ID_LEN];
	/* Where it came from, as the other server says; ss_family 0: unknown.
	 */
	struct sockaddr_storage address;
};

/*
 * Filter, called by relay_ask_asked().  Since API 1.8.  A peer of another
 * server wants to be connected to the device `target` (32 bytes), which is
 * here.  Admitted if no module denies.  Here are the rules of peer_connect that
 * need no connection.
 */
typedef enum relay_verdict relay_peer_asked_fn(struct relay_ctx *cx,
	const struct relay_asker *asker, const uint8_t *target,
	struct relay_denial *why);

/* Notice, by relay_conn_settled(): the connection is no stranger any more. */
typedef void relay_conn_settled_fn(
	struct relay_ctx *cx, struct relay_conn *conn);

/* Filter.  Two connections are about to be paired.  Admitted if none denies. */
typedef enum relay_verdict relay_session_open_fn(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why);

/*
 * How many of `len` bytes from side 0 or 1 may be forwarded now?  The smallest
 * answer of all modules counts.  If the answer is 0, *wait_ms (1 or more) says
 * after how long to ask again; set it whenever the answer is below `len`.  Do
 * not count bytes here: session_sent reports what was really forwarded.
 */
typedef size_t relay_session_grant_fn(struct relay_ctx *cx,
	struct relay_session *session, int from, size_t len, unsigned *wait_ms);

/*
 * Notice.  `len` bytes from side `from` were read and will be forwarded.  Do
 * not close the session here or in session_grant: use relay_post() to the own
 * worker.
 */
typedef void relay_session_sent_fn(struct relay_ctx *cx,
	struct relay_session *session, int from, size_t len);

/*
 * Notices, once for each object, admitted or not, that the module's filter was
 * called for, or would have been if the module had that filter.  The object
 * cannot be read from or written to any more.
 */
typedef void relay_session_close_fn(struct relay_ctx *cx,
	struct relay_session *session, enum relay_reason reason);
typedef void relay_conn_close_fn(struct relay_ctx *cx, struct relay_conn *conn,
	enum relay_reason reason);

/*
 * Notices: the session moves to another worker with its two connections and
 * its block.  Since API 1.8.  session_leave is the last call for it on the
 * worker that it leaves; session_enter the first one where it arrives, also if
 * it ends then.  A module needs them if it keeps something of sessions in
 * cx->local, or turns its transfer hooks on for a session.  Do not close it in
 * session_leave.  No session moves while a module runs that was built for an
 * older API and has hooks for connections or sessions.
 */
typedef void relay_session_leave_fn(
	struct relay_ctx *cx, struct relay_session *session);
typedef void relay_session_enter_fn(
	struct relay_ctx *cx, struct relay_session *session);

/*
 * Notices: the module's options have changed, and cx->conf has the new values.
 * Called for each connection that the module took and that is not in a session,
 * and for each session, so that timeouts can be updated.
 */
typedef void relay_conn_reload_fn(
	struct relay_ctx *cx, struct relay_conn *conn);
typedef void relay_session_reload_fn(
	struct relay_ctx *cx, struct relay_session *session);

/*
 * Notice, [C], for the server as a whole.  During a drain it is called at once
 * and then every second, so that a module added by a reload learns of the
 * drain, too.  RELAY_DRAIN_NONE means that the drain was cancelled.  It also
 * comes before an upgrade starts the new process: files that the new process
 * will read must be up to date.  A work that the hook begins for that
 * (relay_work_start()) has 4 s to end before the new process is started.
 * Returns how many peers and unfinished
 * invitations the module still waits for, besides sessions, which the server
 * counts itself.  The drain ends when all modules return 0 and no session is
 * left.
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
 * Order: files_read, then `check` of all modules; init, start and worker_start
 * of those that come; reload_prepare of those that stay; reload_commit of those
 * that stay; `reload` of those that stay; stop and fini of those that leave;
 * `ready` of those that came.  Within each step modules are called in the order
 * of `modules`, for reload_abandon, stop and fini in reverse.
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

/*
 * Files that options name, such as a list or a token.  A mount may not answer,
 * and a long list takes time to parse, so files_read runs on a thread of its
 * own, while the control thread serves HTTP and signals: before `check` of
 * -check, of a start and of a reload, of all modules at the same time.
 *
 * It reads and parses what `conf` asks for, and returns it in *files.  It has
 * no context, logs nothing, and uses nothing but its arguments and functions
 * that are marked [*].  It changes nothing.  Returns 0; or -1 with err, and
 * then *files is not used.  An error counts as one of `check`.  If one file
 * does not answer for 10 s, or all files together take a minute, the server
 * gives up and says so with the file's name; the thread is left alone, and what
 * it returns some day goes to files_free.
 *
 * The server owns the result, as it owns the options that it belongs to: see
 * relay_files().  It is freed by files_free, also if it is NULL: after a reload
 * that did not come into force; when reload_commit and `reload` have put the
 * next one into force; after fini.  files_free runs on any thread.
 */
typedef int relay_files_read_fn(
	const void *conf, void **files, struct relay_err *err);
typedef void relay_files_free_fn(void *files);

/*
 * Only for -check, after `check`, which was good: warns by relay_log() of what
 * a running server would warn of, such as a file that cannot be written now.
 * `cx` has neither options nor data; `conf` has the options. relay_option_get()
 * works for options of the server.  The call may wait for files.  It changes
 * nothing.  [C]
 */
typedef void relay_advise_fn(struct relay_ctx *cx, const void *conf);

/*
 * What files_read has returned for these options: cx->conf, or the `conf` of
 * reload_prepare.  In init, start, reload_prepare and whatever comes later, but
 * not in fini.  [C]
 */
void *relay_files(const struct relay_ctx *cx, const void *conf);

/*
 * Every hook on workers, in lists that the dispatcher is generated from.  They
 * are part of the binary interface: never add to one, make a new list at the
 * end of struct relay_hooks.
 */
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

#define RELAY_HOOKS_1_7(X) X(peer_find)

#define RELAY_HOOKS_1_8(X)                                                     \
	X(peer_joined)                                                         \
	X(peer_left)                                                           \
	X(peer_asked)                                                          \
	X(session_leave)                                                       \
	X(session_enter)

/* NULL: never called. */
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
	/* Own thread, see above; both or neither. */
	relay_files_read_fn *files_read;
	relay_files_free_fn *files_free;
	relay_advise_fn *advise; /* [C], see above */
#define X(name) relay_##name##_fn *name;
	RELAY_HOOKS_1_7(X)
#undef X
#define X(name) relay_##name##_fn *name;
	RELAY_HOOKS_1_8(X)
#undef X
};

/*
 * Call the filter peer_join, peer_connect or peer_stay of all modules.  [W]
 * They return RELAY_PASS, or RELAY_DENY with *why filled and counted.  A module
 * that would wait refuses, with the word "cannot-wait"; see question.h.
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
/* The same with peer_asked, and the notices peer_joined and peer_left.  [W]
 * Since API 1.8. */
enum relay_verdict relay_ask_asked(struct relay_ctx *cx,
	const struct relay_asker *asker, const uint8_t *target,
	struct relay_denial *why);
void relay_tell_joined(struct relay_ctx *cx, struct relay_conn *conn);
void relay_tell_left(struct relay_ctx *cx, struct relay_conn *conn);

#ifdef __cplusplus
}
#endif

#endif

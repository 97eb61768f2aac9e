/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The module API of strelaysrv: all that a module may use.
 *
 * A module is a shared object, NAME.so, that exports one constant,
 * `relay_module`, made with RELAY_MODULE().  The server validates that constant
 * before it runs any of the module's code, and checks the module's section of
 * strelaysrv.conf against its option table.  It then calls the functions listed
 * below and in hooks.h.
 *
 * Threads.  There is one control thread and N workers.  Every function and
 * callback is marked
 *   [C]  runs on, or may be called from, the control thread only;
 *   [W]  the worker that owns the object at hand, and no other thread;
 *   [*]  any of these threads.
 * A callback on a worker must not block: traffic waits while it runs.
 *
 * Borrowing.  The arguments of a callback are valid until it returns, unless
 * its description says otherwise; keep copies and ids, not pointers.
 *
 * Names.  All symbols start with relay_ or RELAY_; times are in the unit that
 * ends their name (_ms, _us); sizes and rates are in bytes.
 */
#ifndef RELAY_MODULE_H
#define RELAY_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * History of the API.  A higher minor version adds functions, enumerators, and
 * members at the end of struct relay_hooks.  Any other change raises the major
 * version, and modules must be rebuilt.
 *   1.0  2026-11-22  first version
 *   1.1  2026-11-28  RELAY_OPTION_FILLED, RELAY_GUARD
 *   1.1  2026-11-28  RELAY_END_STALLED, RELAY_END_PRESSURE
 *   1.1  2026-11-28  relay_conn_settled, relay_conn_strangers,
 *                    relay_conn_make_room, relay_at_limit, relay_ask_try,
 *                    relay_tell_failed; conn_settled, peer_try, peer_failed
 *   1.1  2026-11-28  relay_session_passed
 *   1.1  2026-11-28  RELAY_OPTION_GUARD
 *   1.2  2026-11-28  reload_prepare, reload_commit, reload_abandon
 *   1.3  2026-11-28  relay_sample_text, relay_sample_value, relay_metric_text
 *   1.3  2026-11-28  relay_file_..., relay_text_fault, relay_log_lost
 *   1.3  2026-11-28  relay_hanging
 *   1.4  2026-11-29  files_read, files_free, relay_files, relay_work_...,
 *                    relay_file_append_text, relay_file_stat
 *   1.5  2026-11-29  relay_command_..., relay_commands_visit,
 *                    relay_control_path, relay_server_act,
 *                    relay_server_acted, relay_modules_visit
 *   1.5  2026-11-29  relay_text_mark
 *   1.5  2026-11-29  relay_commands_add; screen of struct relay_answer
 *   1.6  2026-11-29  advise, RELAY_OPTION_BASIC,
 *                    RELAY_CONFINED, RELAY_NEEDS_PROGRAMS,
 *                    RELAY_NEEDS_SOCKETS, RELAY_OPTION_WRITTEN
 *   1.7  2026-11-29  RELAY_WAIT, relay_ticket_take, relay_settle,
 *                    relay_ask_join_wait, relay_ask_connect_wait,
 *                    relay_ask_find, relay_can_find; peer_find;
 *                    relay_conn_local, RELAY_COMMAND_WORDS_CHANGE,
 *                    relay_log_always
 *   1.8  2026-11-30  relay_conn_listener, relay_conn_private,
 *                    relay_conn_at_limit, relay_conn_over_limit,
 *                    relay_listeners_visit, relay_session_idle_for,
 *                    relay_conn_waits, relay_conn_protocol,
 *                    relay_conn_peek, relay_conn_pass_on,
 *                    relay_session_protocol, relay_ask_asked,
 *                    relay_tell_joined, relay_tell_left, relay_derive_key,
 *                    relay_session_post, relay_conn_post,
 *                    relay_session_move;
 *                    peer_joined, peer_left, peer_asked, session_leave,
 *                    session_enter;
 *                    struct relay_shared_tables; a connection that
 *                    is moved
 *                    stays a stranger until it is settled, unless its
 *                    module was built for an older version
 */
#define RELAY_ABI_MAGIC 0x524c594dU /* "RLYM" */
#define RELAY_ABI_MAJOR 1
#define RELAY_ABI_MINOR 8

struct event_base;
struct relay_conn;
struct relay_module;
struct relay_session;

/*
 * A module's context on one thread.  The server owns it and passes it to every
 * callback; it stays valid on that thread until the module's last callback
 * there.  `conf` is the current snapshot of the module's options.  Do not keep
 * it: a reload replaces it between two events.
 */
struct relay_ctx {
	struct relay_module *mod;
	int worker;       /* 0 .. N-1, or RELAY_CONTROL */
	const void *conf; /* conf_size bytes, filled from the option table */
	void *data;       /* data_size bytes, one for all threads: lock it */
	void *local;      /* worker_size bytes of this worker; NULL on [C] */
};

/* Stands for the control thread where a worker's number is expected. */
#define RELAY_CONTROL (-1)

#include <strelaysrv/err.h>
#include <strelaysrv/file.h>
#include <strelaysrv/device_id.h>
#include <strelaysrv/option.h>
#include <strelaysrv/hooks.h>
#include <strelaysrv/question.h>
#include <strelaysrv/conn.h>
#include <strelaysrv/session.h>
#include <strelaysrv/thread.h>
#include <strelaysrv/timer.h>
#include <strelaysrv/log.h>
#include <strelaysrv/metric.h>
#include <strelaysrv/http.h>
#include <strelaysrv/listener.h>
#include <strelaysrv/service.h>
#include <strelaysrv/shared_table.h>
#include <strelaysrv/status.h>
#include <strelaysrv/server.h>
#include <strelaysrv/command.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The module serves clients that stay connected.  A reload that would remove it
 * is refused with a message that says so.  Without this flag the connections
 * that it took end with it, and sessions go on.
 */
#define RELAY_ESSENTIAL 1U
/*
 * The module restricts access: if it fails, the server does not start without
 * it, whatever `required` says in its section.
 */
#define RELAY_GUARD 2U
/*
 * The module gets along with the server's own set of system calls, besides what
 * the next two flags say, and names the files that it writes in options with
 * RELAY_OPTION_WRITTEN.  If a module of the configuration does not say this,
 * the whole process starts with a wide set, see modules/README.md; a process
 * that was started with less refuses a reload that adds the module.
 */
#define RELAY_CONFINED 4U
/* It starts programs.  They are in the same sandbox. */
#define RELAY_NEEDS_PROGRAMS 8U
/* It opens sockets that are neither TCP, UDP, Unix nor of NETLINK_ROUTE. */
#define RELAY_NEEDS_SOCKETS 16U

/*
 * Describes a module.  Members that are not set are zero.
 *
 * Life.  All modules pass one stage before any enters the next:
 *   hooks.files_read  on a thread of its own: read the files that options name
 *   check   [C]  look at the options, touch nothing; also before a reload
 *   init    [C]  register metrics, routes, sinks, services, ALPN names
 *   start   [C]  find services, open files, add timers
 *   worker_start [W]  on each worker, before its first hook call
 *   ready   [C]  the server accepts connections
 *   ... hooks, timers, routes ...
 *   reload  [C]  every thread sees the new options in cx->conf; too late to
 *                fail: what can fail belongs to hooks.reload_prepare
 *   worker_stop  [W]  after the last hook call there
 *   stop    [C]  all workers have left the module; timers still exist
 *   fini    [C]  registrations are gone; free what data points to
 * Modules are stopped in reverse order of `modules`.  A failed stage is undone:
 * fini runs if and only if init returned 0, stop if start did, worker_stop if
 * worker_start did.  Registrations become visible to others only when every
 * start and worker_start has succeeded; those of a failed module are removed.
 *
 * check, init, start and worker_start return 0, or -1 with err filled.  To
 * fail, write `return relay_fail(err, "...")`.
 */
struct relay_module_def {
	uint32_t magic;
	uint16_t abi_major;
	uint16_t abi_minor;
	size_t size;         /* of this struct when the module was built */
	const char *name;    /* file name, section, log tag, metric prefix */
	const char *version; /* the module's own, as people write it */
	const char *summary; /* one line */
	const struct relay_option *options; /* NULL: none */
	uint32_t flags;                     /* RELAY_ESSENTIAL and the like */

	size_t conf_size;    /* of the struct that `options` fills */
	size_t data_size;    /* zeroed blocks that the server owns: */
	size_t worker_size;  /* one of each worker */
	size_t conn_size;    /* one of each connection, see conn.h */
	size_t session_size; /* one of each session, see session.h */

	int (*check)(const void *conf, struct relay_err *err);
	int (*init)(struct relay_ctx *cx, struct relay_err *err);
	int (*start)(struct relay_ctx *cx, struct relay_err *err);
	void (*ready)(struct relay_ctx *cx);
	void (*reload)(struct relay_ctx *cx);
	void (*stop)(struct relay_ctx *cx);
	void (*fini)(struct relay_ctx *cx);

	int (*worker_start)(struct relay_ctx *cx, struct relay_err *err);
	void (*worker_stop)(struct relay_ctx *cx);

	struct relay_hooks hooks; /* last, because it grows */
};

#ifdef __cplusplus
/* In C++ a constant is visible to others only if it was declared before. */
extern __attribute__((visibility("default")))
const struct relay_module_def relay_module;
#define RELAY_MODULE const struct relay_module_def relay_module
#else
#define RELAY_MODULE                                                           \
	__attribute__((visibility("default")))                                 \
	const struct relay_module_def relay_module
#endif

/* The first members of every descriptor. */
#define RELAY_MODULE_INFO(name_, version_, summary_)                           \
	.magic = RELAY_ABI_MAGIC, .abi_major = RELAY_ABI_MAJOR,                \
	.abi_minor = RELAY_ABI_MINOR, .size = sizeof(struct relay_module_def), \
	.name = (name_), .version = (version_), .summary = (summary_)

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Dispatch of hooks: which modules are called, in which order, and how their
 * answers are combined.
 *
 * Each worker has its own hook set, which is replaced between two events.  A
 * set is constant, except for the modules that currently want transfer hooks.
 * A layout says where in the memory of a connection or session each module's
 * block is.  An object (connection or session) keeps the layout it was made
 * with.
 */
#ifndef HOOKS_H
#define HOOKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/hooks.h>

#include "modules/module.h"

/* Shared by all workers.  A reload that changes the modules makes a new layout;
 * an old one is kept as long as there are objects that were made with it. */
struct layout {
	size_t conn_bytes; /* the sum of all modules' blocks */
	size_t session_bytes;
	bool still; /* a module does not bear it that sessions move */
	atomic_size_t *objects; /* how many there are */
	struct {
		uint64_t serial; /* of the module; 0: no module */
		uint32_t conn, session;
	} at[MODULES_MAX];
	struct layout *next; /* in the list of all layouts */
};

/* Makes the layout for the modules, in their order.  NULL without memory. */
const struct layout *layout_make(struct relay_module *const *mods, size_t n);
/* [C]  Frees the layouts without objects, except this one.  No worker may have
 * a set with another layout, since it would make objects. */
void layout_free_unused(const struct layout *current);
void layout_free_all(void);

/* An object was made with the layout. */
static inline void layout_enter(const struct layout *layout)
{
	atomic_fetch_add_explicit(layout->objects, 1, memory_order_relaxed);
}

/* The object is about to be freed, and reads the layout no more. */
static inline void layout_leave(const struct layout *layout)
{
	atomic_fetch_sub_explicit(layout->objects, 1, memory_order_release);
}

/* Whether the module was running when an object of this layout was made. */
static inline bool layout_has(
	const struct layout *layout, const struct relay_module *mod)
{
	return layout->at[mod->slot].serial == mod->serial;
}

/* The list of all hooks. */
#define HOOKS(X)                                                               \
	RELAY_HOOKS(X) RELAY_HOOKS_1_1(X) RELAY_HOOKS_1_7(X) RELAY_HOOKS_1_8(X)

/* One type per hook, so that the compiler checks calls through the array. */
#define X(name)                                                                \
	struct hook_##name {                                                   \
		struct relay_ctx *cx;                                          \
		relay_##name##_fn *fn;                                         \
		unsigned rank; /* of the module in the set's order */          \
	};
HOOKS(X)
#undef X

struct hook_set {
	const struct layout *layout;
#define X(name)                                                                \
	struct hook_##name *name;                                              \
	unsigned name##_count;
	HOOKS(X)
#undef X
	/* The counts for all modules.  Modules that currently want no transfer
	 * hooks are at the end of the arrays; session_*_count excludes them. */
	unsigned session_grant_all, session_sent_all;
};

/* Makes the set of one worker.  Owned by the caller; NULL without memory. */
struct hook_set *hook_set_make(const struct layout *layout,
	struct relay_module *const *mods, size_t n, int worker);
void hook_set_free(struct hook_set *set);
/* Moves modules that currently want no transfer hooks behind the others.  Only
 * on the worker's own thread, after it has adopted the set. */
void hook_set_sift(struct hook_set *set);

/*
 * Filters return RELAY_PASS, or RELAY_DENY with why->word set.  An unknown
 * verdict is logged and counts as RELAY_DENY.  hooks_conn_open() may also
 * return RELAY_TAKE; then *owner is the module that took the connection.  With
 * `protocol`, the name of a module, other modules that take connections are not
 * asked.
 *
 * If a module refuses an object at its first filter, the modules after it never
 * see the object and must not be told of its end.  So *asked says how many
 * modules, counted from the first of the set, have seen it; the closing notice
 * needs that number.  It is HOOKS_ALL for an object that was admitted.
 */
#define HOOKS_ALL UINT8_MAX
enum relay_verdict hooks_conn_accept(const struct hook_set *set,
	struct relay_conn *conn, struct relay_denial *why, uint8_t *asked);
enum relay_verdict hooks_conn_open(const struct hook_set *set,
	struct relay_conn *conn, const char *protocol, struct relay_denial *why,
	struct relay_ctx **owner);
enum relay_verdict hooks_peer_join(const struct hook_set *set,
	struct relay_conn *conn, const char *token, struct relay_denial *why);
enum relay_verdict hooks_peer_connect(const struct hook_set *set,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why);
enum relay_verdict hooks_peer_stay(const struct hook_set *set,
	struct relay_conn *conn, struct relay_denial *why);
enum relay_verdict hooks_peer_try(const struct hook_set *set,
	struct relay_conn *conn, enum relay_try what, struct relay_denial *why);
enum relay_verdict hooks_session_open(const struct hook_set *set,
	struct relay_session *session, struct relay_denial *why,
	uint8_t *asked);

/* These call only the owner of the connection. */
void hooks_conn_readable(struct relay_ctx *owner, struct relay_conn *conn);
void hooks_conn_deadline(struct relay_ctx *owner, struct relay_conn *conn);

/* Returns the smallest grant of all modules; len if none limits.  If it is 0,
 * *wait_ms is the longest wait that a module asked for, at least 1. */
size_t hooks_session_grant(const struct hook_set *set,
	struct relay_session *session, int from, size_t len, unsigned *wait_ms);
void hooks_session_sent(const struct hook_set *set,
	struct relay_session *session, int from, size_t len);

/* Calls all modules of the set. */
void hooks_conn_settled(const struct hook_set *set, struct relay_conn *conn);

/* These call, in reverse order, the modules of the set that were already in the
 * object's layout and were asked about it. */
void hooks_session_close(const struct hook_set *set,
	const struct layout *layout, struct relay_session *session,
	enum relay_reason reason, uint8_t asked);
void hooks_conn_close(const struct hook_set *set, const struct layout *layout,
	struct relay_conn *conn, enum relay_reason reason, uint8_t asked);

/* These do the same. */
void hooks_session_leave(const struct hook_set *set,
	const struct layout *layout, struct relay_session *session,
	uint8_t asked);
void hooks_session_enter(const struct hook_set *set,
	const struct layout *layout, struct relay_session *session,
	uint8_t asked);

/*
 * Notes which module's code runs on this thread, for the fatal-signal report.
 * Returns the previous context, which hooks_leave() restores.
 */
const struct relay_ctx *hooks_enter(const struct relay_ctx *cx);
void hooks_leave(const struct relay_ctx *before);

#endif

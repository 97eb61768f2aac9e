/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Dispatch: who is asked, in which order, and how answers combine.
 *
 * Each worker has a hook set of its own, replaced between two events; all that
 * changes in it is who wants to hear of transfers.  A layout says where in a
 * connection's or session's memory the modules' blocks are; objects keep the
 * layout they were made with.
 */
#ifndef HOOKS_H
#define HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/hooks.h>

#include "modules/module.h"

/* Shared by all workers.  A reload that changes the modules makes a new one;
 * old ones are kept until the server ends, since objects were made with them.
 */
struct layout {
	uint64_t generation; /* rises with each layout */
	size_t conn_bytes;   /* of all modules' blocks together */
	size_t session_bytes;
	struct {
		uint64_t serial; /* of the module; 0: not there */
		uint32_t conn, session;
	} at[MODULES_MAX];
	struct layout *next; /* the list of all */
};

/* For the modules in order.  NULL without memory. */
const struct layout *layout_make(struct relay_module *const *mods, size_t n);
void layout_free_all(void);

/* Whether the module was there when an object of this layout was made. */
static inline bool layout_has(
	const struct layout *layout, const struct relay_module *mod)
{
	return layout->at[mod->slot].serial == mod->serial;
}

/* All there are. */
#define HOOKS(X) RELAY_HOOKS(X) RELAY_HOOKS_1_1(X)

/* Typed, so that a call through the array is checked. */
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
	/* Of all modules; those that want no transfer hooks now stand at the
	 * end, and session_*_count leaves them out. */
	unsigned session_grant_all, session_sent_all;
};

/* For one worker.  Owned by the caller; NULL without memory. */
struct hook_set *hook_set_make(const struct layout *layout,
	struct relay_module *const *mods, size_t n, int worker);
void hook_set_free(struct hook_set *set);
/* Puts modules that want no transfer hooks now behind the others.  The worker's
 * own thread, once it owns the set. */
void hook_set_sift(struct hook_set *set);

/*
 * Filters.  RELAY_PASS, or RELAY_DENY with why->word set; an unknown verdict is
 * logged and denies.  hooks_conn_open also answers RELAY_TAKE and *owner.
 *
 * Modules behind one that refuses at the first filter of an object never hear
 * of it, so they must not be told of its end: *asked is how many of the set's
 * modules know it, for the closing notice.  HOOKS_ALL once it was admitted.
 */
#define HOOKS_ALL UINT8_MAX
enum relay_verdict hooks_conn_accept(const struct hook_set *set,
	struct relay_conn *conn, struct relay_denial *why, uint8_t *asked);
enum relay_verdict hooks_conn_open(const struct hook_set *set,
	struct relay_conn *conn, struct relay_denial *why,
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

/* To the owner of a connection only. */
void hooks_conn_readable(struct relay_ctx *owner, struct relay_conn *conn);
void hooks_conn_deadline(struct relay_ctx *owner, struct relay_conn *conn);

/* The smallest grant of all; len when nobody limits. */
size_t hooks_session_grant(const struct hook_set *set,
	struct relay_session *session, int from, size_t len, unsigned *wait_ms);
void hooks_session_sent(const struct hook_set *set,
	struct relay_session *session, int from, size_t len);

/* To all of the set. */
void hooks_conn_settled(const struct hook_set *set, struct relay_conn *conn);

/* In reverse order, to the modules of the object's own layout that know it. */
void hooks_session_close(const struct hook_set *set,
	const struct layout *layout, struct relay_session *session,
	enum relay_reason reason, uint8_t asked);
void hooks_conn_close(const struct hook_set *set, const struct layout *layout,
	struct relay_conn *conn, enum relay_reason reason, uint8_t asked);

/*
 * Marks who runs on this thread, for the fatal-signal report; returns who ran
 * before, to be put back.
 */
const struct relay_ctx *hooks_enter(const struct relay_ctx *cx);
void hooks_leave(const struct relay_ctx *before);

#endif

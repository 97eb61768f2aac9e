/* SPDX-License-Identifier: MPL-2.0 */

/* Dispatch of hooks: hook sets; filters, which fail closed; notices. */

#include <stdlib.h>
#include <string.h>

#include "modules/hooks.h"
#include "loop/loop.h"
#include "modules/module_threads.h"
#include "modules/verdict.h"

const struct relay_ctx *hooks_enter(const struct relay_ctx *cx)
{
	const struct relay_ctx *before;

	if (!loop_current)
		return NULL;
	before = loop_running(loop_current);
	loop_set_running(loop_current, cx);
	return before;
}

void hooks_leave(const struct relay_ctx *before)
{
	if (loop_current)
		loop_set_running(loop_current, before);
}

/* Sets. */

/* Counts first, so that each array is as small as possible. */
#define X(name)                                                                \
	static int fill_##name(struct hook_set *set,                           \
		struct relay_module *const *mods, size_t n, int worker)        \
	{                                                                      \
		unsigned count = 0;                                            \
                                                                               \
		for (size_t i = 0; i < n; i++)                                 \
			count += mods[i]->def.hooks.name != NULL;              \
		if (!count)                                                    \
			return 0;                                              \
		set->name = calloc(count, sizeof(*set->name));                 \
		if (!set->name)                                                \
			return -1;                                             \
		for (size_t i = 0; i < n; i++) {                               \
			struct relay_module *mod = mods[i];                    \
                                                                               \
			if (!mod->def.hooks.name)                              \
				continue;                                      \
			set->name[set->name##_count++] = (struct hook_##name){ \
				.cx = &mod->workers[worker].pub,               \
				.fn = mod->def.hooks.name,                     \
				.rank = (unsigned)i,                           \
			};                                                     \
		}                                                              \
		return 0;                                                      \
	}
HOOKS(X)
#undef X

struct hook_set *hook_set_make(const struct layout *layout,
	struct relay_module *const *mods, size_t n, int worker)
{
	struct hook_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->layout = layout;
#define X(name)                                                                \
	if (fill_##name(set, mods, n, worker))                                 \
		goto error;
	HOOKS(X)
#undef X
	set->session_grant_all = set->session_grant_count;
	set->session_sent_all = set->session_sent_count;
	return set;

error:
	hook_set_free(set);
	return NULL;
}

void hook_set_free(struct hook_set *set)
{
	if (!set)
		return;
#define X(name) free(set->name);
	HOOKS(X)
#undef X
	free(set);
}

/* Sorts modules that want transfer hooks before the others; both parts keep the
 * order of the modules. */
#define SIFT(set, name)                                                        \
	do {                                                                   \
		unsigned on_ = 0;                                              \
                                                                               \
		qsort((set)->name, (set)->name##_all, sizeof(*(set)->name),    \
			compare_##name);                                       \
		while (on_ < (set)->name##_all &&                              \
			!module_ctx_of((set)->name[on_].cx)->no_transfers)     \
			on_++;                                                 \
		(set)->name##_count = on_;                                     \
	} while (0)

#define X(name)                                                                \
	static int compare_##name(const void *a, const void *b)                \
	{                                                                      \
		const struct hook_##name *left = a, *right = b;                \
		bool no_transfers = module_ctx_of(left->cx)->no_transfers;     \
                                                                               \
		if (no_transfers != module_ctx_of(right->cx)->no_transfers)    \
			return no_transfers ? 1 : -1;                          \
		return left->rank < right->rank ? -1 : 1;                      \
	}
X(session_grant)
X(session_sent)
#undef X

void hook_set_sift(struct hook_set *set)
{
	if (set->session_grant_all)
		SIFT(set, session_grant);
	if (set->session_sent_all)
		SIFT(set, session_sent);
}

void relay_session_hooks(struct relay_ctx *cx, bool on)
{
	struct module_ctx *ctx = module_ctx_of(cx);
	struct hook_set *set = module_threads()->hooks(ctx->loop);

	ctx->no_transfers = !on;
	/* There is no set yet while the server starts; the worker sorts it when
	 * it adopts it. */
	if (set)
		hook_set_sift(set);
}

/* Filters. */

/*
 * Calls one module's filter.  *why is cleared first: a module that passed may
 * have written to it, which must not be taken for the next module's reason.
 */
#define ASK(verdict, hook, ...)                                                \
	do {                                                                   \
		const struct relay_ctx *before_ = hooks_enter((hook)->cx);     \
                                                                               \
		why->refusal = RELAY_REFUSE_POLICY;                            \
		why->word = NULL;                                              \
		(verdict) = (hook)->fn((hook)->cx, __VA_ARGS__, why);          \
		hooks_leave(before_);                                          \
	} while (0)

/* The body of every filter whose only verdicts are PASS and DENY. */
#define FILTER(name, on_refusal, ...)                                          \
	do {                                                                   \
		for (unsigned i_ = 0; i_ < set->name##_count; i_++) {          \
			const struct hook_##name *hook_ = &set->name[i_];      \
			enum relay_verdict verdict_;                           \
                                                                               \
			ASK(verdict_, hook_, __VA_ARGS__);                     \
			if (verdict_ != RELAY_PASS) {                          \
				on_refusal;                                    \
				return verdict_refused(                        \
					hook_->cx, #name, verdict_, why);      \
			}                                                      \
		}                                                              \
		return RELAY_PASS;                                             \
	} while (0)

enum relay_verdict hooks_conn_accept(const struct hook_set *set,
	struct relay_conn *conn, struct relay_denial *why, uint8_t *asked)
{
	*asked = HOOKS_ALL;
	FILTER(conn_accept, *asked = (uint8_t)(hook_->rank + 1), conn);
}

/* Without conn_readable a module serves no connection: it is a filter. */
static bool serves_other(
	const struct hook_conn_open *hook, const char *protocol)
{
	const struct relay_module_def *def = &hook->cx->mod->def;

	return protocol[0] && def->hooks.conn_readable &&
	       strcmp(def->name, protocol) != 0;
}

enum relay_verdict hooks_conn_open(const struct hook_set *set,
	struct relay_conn *conn, const char *protocol, struct relay_denial *why,
	struct relay_ctx **owner)
{
	for (unsigned i = 0; i < set->conn_open_count; i++) {
		const struct hook_conn_open *hook = &set->conn_open[i];
		enum relay_verdict verdict;

		if (serves_other(hook, protocol))
			continue;
		ASK(verdict, hook, conn);
		if (verdict == RELAY_TAKE) {
			*owner = hook->cx;
			return RELAY_TAKE;
		}
		if (verdict != RELAY_PASS)
			return verdict_refused(
				hook->cx, "conn_open", verdict, why);
	}
	return RELAY_PASS;
}

/* These two may wait, but the caller cannot; see waiting_hooks.h. */
#define IF_IT_WAITS                                                            \
	if (verdict_ == RELAY_WAIT)                                            \
	return verdict_cannot_wait(why)

enum relay_verdict hooks_peer_join(const struct hook_set *set,
	struct relay_conn *conn, const char *token, struct relay_denial *why)
{
	FILTER(peer_join, IF_IT_WAITS, conn, token);
}

enum relay_verdict hooks_peer_connect(const struct hook_set *set,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why)
{
	FILTER(peer_connect, IF_IT_WAITS, conn, target);
}

enum relay_verdict hooks_peer_stay(const struct hook_set *set,
	struct relay_conn *conn, struct relay_denial *why)
{
	FILTER(peer_stay, (void)0, conn);
}

enum relay_verdict hooks_peer_try(const struct hook_set *set,
	struct relay_conn *conn, enum relay_try what, struct relay_denial *why)
{
	FILTER(peer_try, (void)0, conn, what);
}

enum relay_verdict hooks_session_open(const struct hook_set *set,
	struct relay_session *session, struct relay_denial *why, uint8_t *asked)
{
	*asked = HOOKS_ALL;
	FILTER(session_open, *asked = (uint8_t)(hook_->rank + 1), session);
}

/* The API functions by which the protocol module calls filters. */

static const struct hook_set *hooks_here(const struct relay_ctx *cx)
{
	return module_threads()->hooks(module_ctx_of(cx)->loop);
}

enum relay_verdict relay_ask_join(struct relay_ctx *cx, struct relay_conn *conn,
	const char *token, struct relay_denial *why)
{
	return hooks_peer_join(hooks_here(cx), conn, token, why);
}

enum relay_verdict relay_ask_connect(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why)
{
	return hooks_peer_connect(hooks_here(cx), conn, target, why);
}

enum relay_verdict relay_ask_stay(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	return hooks_peer_stay(hooks_here(cx), conn, why);
}

enum relay_verdict relay_ask_try(struct relay_ctx *cx, struct relay_conn *conn,
	enum relay_try what, struct relay_denial *why)
{
	return hooks_peer_try(hooks_here(cx), conn, what, why);
}

enum relay_verdict relay_ask_asked(struct relay_ctx *cx,
	const struct relay_asker *asker, const uint8_t *target,
	struct relay_denial *why)
{
	const struct hook_set *set = hooks_here(cx);

	FILTER(peer_asked, (void)0, asker, target);
}

/* Notices. */

#define TELL(name, ...)                                                        \
	do {                                                                   \
		for (unsigned i_ = 0; i_ < set->name##_count; i_++) {          \
			const struct hook_##name *hook_ = &set->name[i_];      \
			const struct relay_ctx *before_;                       \
                                                                               \
			before_ = hooks_enter(hook_->cx);                      \
			hook_->fn(hook_->cx, __VA_ARGS__);                     \
			hooks_leave(before_);                                  \
		}                                                              \
	} while (0)

void hooks_conn_settled(const struct hook_set *set, struct relay_conn *conn)
{
	TELL(conn_settled, conn);
}

void relay_tell_failed(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_try what)
{
	const struct hook_set *set = hooks_here(cx);

	TELL(peer_failed, conn, what);
}

void relay_tell_joined(struct relay_ctx *cx, struct relay_conn *conn)
{
	const struct hook_set *set = hooks_here(cx);

	TELL(peer_joined, conn);
}

void relay_tell_left(struct relay_ctx *cx, struct relay_conn *conn)
{
	const struct hook_set *set = hooks_here(cx);

	TELL(peer_left, conn);
}

/* Hooks that only the module gets which owns the connection. */

void hooks_conn_readable(struct relay_ctx *owner, struct relay_conn *conn)
{
	const struct relay_ctx *before;

	if (!owner->mod->def.hooks.conn_readable)
		return;
	before = hooks_enter(owner);
	owner->mod->def.hooks.conn_readable(owner, conn);
	hooks_leave(before);
}

void hooks_conn_deadline(struct relay_ctx *owner, struct relay_conn *conn)
{
	const struct relay_ctx *before;

	if (!owner->mod->def.hooks.conn_deadline)
		return;
	before = hooks_enter(owner);
	owner->mod->def.hooks.conn_deadline(owner, conn);
	hooks_leave(before);
}

/* Transfers. */

size_t hooks_session_grant(const struct hook_set *set,
	struct relay_session *session, int from, size_t len, unsigned *wait_ms)
{
	const struct relay_ctx *before;
	size_t least = len;

	*wait_ms = 0;
	if (!set->session_grant_count)
		return len;
	before = hooks_enter(NULL);
	for (unsigned i = 0; i < set->session_grant_count; i++) {
		const struct hook_session_grant *hook = &set->session_grant[i];
		unsigned wait = 0;
		size_t granted;

		loop_set_running(loop_current, hook->cx);
		granted = hook->fn(hook->cx, session, from, len, &wait);
		if (granted < least)
			least = granted;
		/* Asking again is useless before every module that granted 0
		 * grants bytes, so the longest wait counts. */
		if (granted == 0 && wait > *wait_ms)
			*wait_ms = wait;
	}
	hooks_leave(before);
	if (least == 0 && *wait_ms == 0)
		*wait_ms = 1;
	return least;
}

void hooks_session_sent(const struct hook_set *set,
	struct relay_session *session, int from, size_t len)
{
	const struct relay_ctx *before;

	if (!set->session_sent_count)
		return;
	before = hooks_enter(NULL);
	for (unsigned i = 0; i < set->session_sent_count; i++) {
		const struct hook_session_sent *hook = &set->session_sent[i];

		loop_set_running(loop_current, hook->cx);
		hook->fn(hook->cx, session, from, len);
	}
	hooks_leave(before);
}

/*
 * Calls, in reverse order, the modules of the set that have seen the object:
 * they ran when it was made, and no filter before theirs refused it.
 */
#define CLOSING(name, ...)                                                     \
	do {                                                                   \
		for (unsigned i_ = set->name##_count; i_-- > 0;) {             \
			const struct hook_##name *hook_ = &set->name[i_];      \
			const struct relay_ctx *before_;                       \
                                                                               \
			if (hook_->rank >= asked ||                            \
				!layout_has(layout, hook_->cx->mod))           \
				continue;                                      \
			before_ = hooks_enter(hook_->cx);                      \
			hook_->fn(hook_->cx, __VA_ARGS__);                     \
			hooks_leave(before_);                                  \
		}                                                              \
	} while (0)

void hooks_session_close(const struct hook_set *set,
	const struct layout *layout, struct relay_session *session,
	enum relay_reason reason, uint8_t asked)
{
	CLOSING(session_close, session, reason);
}

void hooks_conn_close(const struct hook_set *set, const struct layout *layout,
	struct relay_conn *conn, enum relay_reason reason, uint8_t asked)
{
	CLOSING(conn_close, conn, reason);
}

void hooks_session_leave(const struct hook_set *set,
	const struct layout *layout, struct relay_session *session,
	uint8_t asked)
{
	CLOSING(session_leave, session);
}

void hooks_session_enter(const struct hook_set *set,
	const struct layout *layout, struct relay_session *session,
	uint8_t asked)
{
	CLOSING(session_enter, session);
}

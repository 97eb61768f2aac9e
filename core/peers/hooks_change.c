/* SPDX-License-Identifier: MPL-2.0 */

/* Adds and removes modules on a worker, and reloads them. */

#include "modules/hooks.h"
#include "peers/conn_end.h"
#include "peers/conn_state.h"
#include "peers/hooks_change.h"
#include "peers/peers_state.h"
#include "peers/question.h"
#include "peers/session_state.h"

/* The argument of the callbacks for each object, see hooks_change(). */
struct removal {
	struct worker *worker;
	struct relay_module *mod;
};

static void session_leaves(void *object, void *arg)
{
	struct relay_session *session = object;
	const struct removal *removal = arg;
	struct relay_module *mod = removal->mod;
	struct relay_ctx *cx = &mod->workers[removal->worker->loop.index].pub;
	const struct relay_ctx *before;

	if (!mod->def.hooks.session_close || !layout_has(session->layout, mod))
		return;
	before = hooks_enter(cx);
	mod->def.hooks.session_close(cx, session, RELAY_END_WITHDRAWN);
	hooks_leave(before);
}

static void conn_leaves(void *object, void *arg)
{
	struct relay_conn *conn = object;
	const struct removal *removal = arg;
	struct relay_module *mod = removal->mod;
	struct relay_ctx *cx = &mod->workers[removal->worker->loop.index].pub;
	const struct relay_ctx *before;

	question_module_left(conn, mod);
	if (mod->def.hooks.conn_close && layout_has(conn->layout, mod)) {
		before = hooks_enter(cx);
		mod->def.hooks.conn_close(cx, conn, RELAY_END_WITHDRAWN);
		hooks_leave(before);
	}
	/* No other module can serve it. */
	if (conn->owner == cx && conn->phase == CONN_TAKEN)
		conn_end(conn, RELAY_END_STOP);
}

struct hook_set *hooks_change(struct worker *worker, struct hook_set *next,
	struct relay_module *const *removed, size_t n)
{
	struct peers *peers = peers_of(worker);
	struct hook_set *old = worker->hooks;

	/* This comes first: hooks that run below must not reach the removed
	 * modules. */
	worker->hooks = next;
	hook_set_sift(next);
	while (n-- > 0) {
		struct removal one = {worker, removed[n]};

		object_table_each(&peers->sessions, session_leaves, &one);
		object_table_each(&peers->conns, conn_leaves, &one);
	}
	return old;
}

static void conn_reloads(void *object, void *arg)
{
	struct relay_conn *conn = object;
	struct relay_ctx *cx = arg;

	if (conn->owner == cx && conn->phase == CONN_TAKEN)
		cx->mod->def.hooks.conn_reload(cx, conn);
}

static void session_reloads(void *object, void *arg)
{
	struct relay_session *session = object;
	struct relay_ctx *cx = arg;

	if (layout_has(session->layout, cx->mod))
		cx->mod->def.hooks.session_reload(cx, session);
}

void hooks_change_tell(struct worker *worker, struct relay_module *mod)
{
	struct peers *peers = peers_of(worker);
	struct relay_ctx *cx = &mod->workers[worker->loop.index].pub;
	const struct relay_ctx *before = hooks_enter(cx);

	if (mod->def.hooks.session_reload)
		object_table_each(&peers->sessions, session_reloads, cx);
	if (mod->def.hooks.conn_reload)
		object_table_each(&peers->conns, conn_reloads, cx);
	hooks_leave(before);
}

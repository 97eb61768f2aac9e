/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Messages of modules to whoever has an id, wherever it is.
 *
 * A message goes to the id's home, which knows where the object is.  If it has
 * moved on meanwhile, the message comes back home, which has been told of that
 * by then: news and message go the same way.
 */

#include <stddef.h>
#include <string.h>

#include <strelaysrv/session.h>
#include <strelaysrv/thread.h>

#include "modules/hooks.h"
#include "modules/module.h"
#include "peers/peers_state.h"
#include "workers/workers.h"

/* Whoever moves faster than that counts as ended. */
#define HOPS_MOST 250

struct errand {
	struct relay_module *mod;
	uint64_t serial;
	uint64_t id;
	relay_session_post_fn *session; /* either this one, */
	relay_conn_post_fn *conn;       /* or this one */
	uint16_t len;
	uint8_t hops;
	_Alignas(max_align_t) unsigned char arg[RELAY_POST_MAX];
};

static void receive(struct loop *loop, void *arg);

static int send_to(unsigned worker, const struct errand *errand)
{
	return loop_post(&workers_get(worker)->loop, receive, errand,
		offsetof(struct errand, arg) + errand->len);
}

static void carry_out(
	struct loop *loop, const struct errand *errand, void *object)
{
	struct relay_ctx *cx =
		module_ctx_on(errand->mod, errand->serial, loop->index);
	const struct relay_ctx *before;

	if (!cx)
		return;
	before = hooks_enter(cx);
	if (errand->session)
		errand->session(cx, object, errand->arg);
	else
		errand->conn(cx, object, errand->arg);
	hooks_leave(before);
}

static void receive(struct loop *loop, void *arg)
{
	struct errand *errand = arg;
	struct peers *peers = peers_of_loop(loop);
	const struct object_table *table =
		errand->session ? &peers->sessions : &peers->conns;
	void *object = object_table_find(table, errand->id);
	int next = object ? -1 : object_table_next(table, errand->id);

	if (next >= 0 && errand->hops++ < HOPS_MOST &&
		send_to((unsigned)next, errand) == 0)
		return;
	carry_out(loop, errand, object);
}

static int post(struct relay_ctx *cx, struct errand *errand, const void *arg,
	size_t len)
{
	uint32_t home = object_table_home(errand->id);

	if (len > RELAY_POST_MAX || home >= workers_count())
		return -1;
	errand->mod = cx->mod;
	errand->serial = cx->mod->serial;
	errand->len = (uint16_t)len;
	if (len)
		memcpy(errand->arg, arg, len);
	return send_to(home, errand);
}

int relay_session_post(struct relay_ctx *cx, uint64_t id,
	relay_session_post_fn *fn, const void *arg, size_t len)
{
	struct errand errand = {.id = id, .session = fn};

	return post(cx, &errand, arg, len);
}

int relay_conn_post(struct relay_ctx *cx, uint64_t id, relay_conn_post_fn *fn,
	const void *arg, size_t len)
{
	struct errand errand = {.id = id, .conn = fn};

	return post(cx, &errand, arg, len);
}

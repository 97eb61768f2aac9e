/* SPDX-License-Identifier: MPL-2.0 */

/* The messages that modules send between threads. */

#include <stddef.h>
#include <string.h>

#include <strelaysrv/thread.h>

#include "modules/hooks.h"
#include "loop/loop.h"
#include "modules/module.h"
#include "modules/module_threads.h"

struct post {
	struct relay_module *mod;
	uint64_t serial;
	relay_post_fn *fn;
	_Alignas(max_align_t) unsigned char arg[RELAY_POST_MAX];
};

struct relay_ctx *module_ctx_on(
	struct relay_module *mod, uint64_t serial, int worker)
{
	if (mod->serial != serial || !mod->workers ||
		!mod->workers[worker].entered)
		return NULL;
	return &mod->workers[worker].pub;
}

/* The module's context on this loop; NULL if the module does not run here: it
 * has ended, was restarted, or has not started yet. */
static struct relay_ctx *context_here(
	const struct post *post, const struct loop *loop)
{
	struct relay_module *mod = post->mod;

	if (loop->index != RELAY_CONTROL)
		return module_ctx_on(mod, post->serial, loop->index);
	return mod->serial == post->serial && mod->stage >= MODULE_INITED
		       ? &mod->control.pub
		       : NULL;
}

static void receive(struct loop *loop, void *arg)
{
	struct post *post = arg;
	struct relay_ctx *cx = context_here(post, loop);
	const struct relay_ctx *before;

	if (!cx)
		return;
	before = hooks_enter(cx);
	post->fn(cx, post->arg);
	hooks_leave(before);
}

int relay_post(struct relay_ctx *cx, int to, relay_post_fn *fn, const void *arg,
	size_t len)
{
	struct post post = {
		.mod = cx->mod, .serial = cx->mod->serial, .fn = fn};
	struct loop *loop;

	if (to < RELAY_CONTROL || to >= (int)module_threads()->count() ||
		len > RELAY_POST_MAX)
		return -1;
	if (len)
		memcpy(post.arg, arg, len);
	loop = to == RELAY_CONTROL ? cx->mod->control.loop
				   : module_threads()->loop((unsigned)to);
	return loop_post(
		loop, receive, &post, offsetof(struct post, arg) + len);
}

struct event_base *relay_event_base(struct relay_ctx *cx)
{
	return module_ctx_of(cx)->loop->base;
}

int64_t relay_now_ms(const struct relay_ctx *cx)
{
	return atomic_load_explicit(
		&module_ctx_of(cx)->loop->turn_ms, memory_order_relaxed);
}

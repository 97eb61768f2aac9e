/* SPDX-License-Identifier: MPL-2.0 */

/* Modules' timers, made of libevent's. */

#include <assert.h>
#include <stdlib.h>

#include "modules/module_call.h"
#include "base/time_span.h"
#include "modules/module_metrics.h"
#include "log/log.h"
#include "loop/loop.h"
#include "modules/module.h"
#include "modules/timer.h"

#define BACKOFF_SHIFT  4    /* at most 16 times the delay */
#define BACKOFF_MIN_MS 1000 /* the delay if the module asked for 0 */
#define REST           4    /* a pause, in multiples of a slow call's time */
#define DELAY_MAX_MS   (INT64_C(366) * 24 * 3600 * 1000)

struct relay_timer {
	struct relay_timer *next, **link; /* in the context's list */
	struct module_ctx *ctx;           /* borrowed */
	struct event *event;              /* owned */
	relay_timer_fn *fn;
	void *arg;
	int64_t asked_ms;  /* the last delay that the module asked for */
	int64_t due_ms;    /* not before; 0: when it fires */
	unsigned failures; /* in a row */
	bool running, deleted;
	bool prepared; /* added in reload_prepare; not committed yet */
};

static void list_add(struct relay_timer *t)
{
	t->next = t->ctx->timers;
	t->link = &t->ctx->timers;
	if (t->next)
		t->next->link = &t->next;
	t->ctx->timers = t;
}

static void timer_free(struct relay_timer *t)
{
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	event_free(t->event);
	free(t);
}

static int arm(struct relay_timer *t, int64_t ms)
{
	struct timeval tv;

	if (ms > DELAY_MAX_MS)
		ms = DELAY_MAX_MS;
	tv = time_span_val(ms);
	return event_add(t->event, &tv);
}

/* The module waits for it.  Without memory the loop turns until there is some,
 * or until the timer is due. */
static void arm_again(struct relay_timer *t, int64_t ms)
{
	t->due_ms = 0;
	if (arm(t, ms) == 0)
		return;
	t->due_ms = loop_clock_ms() + ms;
	event_active(t->event, EV_TIMEOUT, 0);
}

static int64_t call(struct relay_timer *t, int64_t *slow_ms)
{
	struct module_call a;
	int64_t next_ms;

	module_call_begin(&a, &t->ctx->pub);
	t->running = true;
	next_ms = t->fn(&t->ctx->pub, t->arg);
	t->running = false;
	*slow_ms = module_call_end(&a, "a timer");
	return next_ms;
}

static int64_t backoff(struct relay_timer *t)
{
	int64_t base_ms = t->asked_ms ? t->asked_ms : BACKOFF_MIN_MS;

	if (t->failures < BACKOFF_SHIFT)
		t->failures++;
	return base_ms << t->failures;
}

/* Counts a failure that the timer reported.  Returns the delay until its next
 * call. */
static int64_t failed(struct relay_timer *t)
{
	struct relay_module *mod = t->ctx->pub.mod;

	module_metrics_timer_failed(t->ctx->shard);
	atomic_fetch_add_explicit(&mod->failures, 1, memory_order_relaxed);
	if (!t->failures)
		log_core(RELAY_WARNING,
			"a timer of module %s failed; it is tried again with "
			"growing delays",
			mod->def.name);
	return backoff(t);
}

static void fired(evutil_socket_t fd, short what, void *arg)
{
	struct relay_timer *t = arg;
	struct loop *loop = t->ctx->loop;
	int64_t slow_ms, next_ms = t->due_ms ? t->due_ms - loop_clock_ms() : 0;

	(void)fd;
	(void)what;
	if (next_ms > 0) {
		arm_again(t, next_ms);
		return;
	}
	next_ms = call(t, &slow_ms);
	if (next_ms == 0 || t->deleted) {
		timer_free(t);
		loop_event_over(loop);
		return;
	}
	if (next_ms < 0) {
		next_ms = failed(t);
	} else {
		if (t->failures)
			log_core(RELAY_NOTICE,
				"the timer of module %s works again",
				t->ctx->pub.mod->def.name);
		t->failures = 0;
		if (next_ms > DELAY_MAX_MS)
			next_ms = DELAY_MAX_MS;
		t->asked_ms = next_ms;
	}
	/* Leaves time on the thread for others. */
	if (next_ms < slow_ms * REST)
		next_ms = slow_ms * REST;
	arm_again(t, next_ms);
	loop_event_over(loop);
}

struct relay_timer *relay_timer_add(
	struct relay_ctx *cx, int64_t first_ms, relay_timer_fn *fn, void *arg)
{
	struct relay_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->ctx = module_ctx_of(cx);
	assert(!loop_current || loop_current == t->ctx->loop);
	t->fn = fn;
	t->arg = arg;
	t->prepared = cx->worker == RELAY_CONTROL && cx->mod->preparing;
	if (first_ms > 0)
		t->asked_ms = first_ms < DELAY_MAX_MS ? first_ms : DELAY_MAX_MS;
	t->event = evtimer_new(t->ctx->loop->base, fired, t);
	if (!t->event)
		goto error;
	if (arm(t, t->asked_ms))
		goto error_event;
	list_add(t);
	return t;

error_event:
	event_free(t->event);
error:
	free(t);
	return NULL;
}

void relay_timer_del(struct relay_timer *timer)
{
	if (!timer)
		return;
	/* The API forbids this in the timer's own call, but it must not crash.
	 */
	if (timer->running)
		timer->deleted = true;
	else
		timer_free(timer);
}

void timer_keep_prepared(struct module_ctx *ctx)
{
	for (struct relay_timer *t = ctx->timers; t; t = t->next)
		t->prepared = false;
}

void timer_drop_prepared(struct module_ctx *ctx)
{
	struct relay_timer *t = ctx->timers, *next;

	for (; t; t = next) {
		next = t->next;
		if (t->prepared)
			relay_timer_del(t);
	}
}

void timer_withdraw(struct module_ctx *ctx)
{
	struct relay_timer *t = ctx->timers, *next;

	for (; t; t = next) {
		next = t->next;
		relay_timer_del(t);
	}
}

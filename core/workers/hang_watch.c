/* SPDX-License-Identifier: MPL-2.0 */

/* The thread that looks for loops that hang. */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <strelaysrv/server.h>
#include <strelaysrv/thread.h>

#include "base/file_wait.h"
#include "base/posts.h"
#include "log/log.h"
#include "loop/code_map.h"
#include "loop/code_running.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "modules/module.h"
#include "workers/hang_watch.h"
#include "workers/loop_lag.h"
#include "workers/wait_limit.h"
#include "workers/workers_state.h"

#define LOOK_MS 500

/* What is known of one loop; only the watching thread writes it. */
struct watched {
	_Atomic bool hangs;
	int64_t told_ms;                  /* silence at the last report */
	int64_t silent_ms;                /* at the last look */
	const struct relay_module *found; /* at the last report; NULL: none */
	/* Whose code ran then outside of a call; NULL: not known.  [*] */
	_Atomic(const struct relay_module *) outside;
};

struct hang_watch {
	pthread_t thread;
	struct posts over;
	hang_watch_tell_fn *tell;
	struct file_wait *files; /* borrowed; NULL: none */
	_Atomic enum hang_watch_phase phase;
	_Atomic int64_t hangs[2]; /* counters: control, worker */
	unsigned count; /* of `watched`; index: see loop_lag_count() */
	struct watched watched[];
};

static struct hang_watch *self(void)
{
	return instance->workers->watch;
}

/* Texts. */

static const struct relay_module *module_in(unsigned i)
{
	const struct relay_ctx *cx = loop_running(loop_lag_loop(i));

	return cx ? cx->mod : NULL;
}

static void thread_name(unsigned i, char *out, size_t cap)
{
	if (i == 0)
		(void)snprintf(out, cap, "the control thread");
	else
		(void)snprintf(out, cap, "worker %u", i - 1);
}

static void describe_code(unsigned i, const struct relay_module *mod,
	int64_t silent_ms, char *out, size_t cap)
{
	const struct hang_watch *watch = self();
	const struct relay_module *outside =
		watch ? atomic_load(&watch->watched[i].outside) : NULL;
	char name[24];

	thread_name(i, name, sizeof(name));
	if (mod)
		(void)snprintf(out, cap,
			"%s has been in module %s for %" PRId64 " s", name,
			mod->def.name, silent_ms / 1000);
	else if (outside)
		(void)snprintf(out, cap,
			"%s has been in module %s for %" PRId64
			" s, in an event that the server did not call",
			name, outside->def.name, silent_ms / 1000);
	else
		(void)snprintf(out, cap,
			"%s has not run its loop for %" PRId64
			" s; it is in no call of a module",
			name, silent_ms / 1000);
}

static void add_file(unsigned i, char *out, size_t cap)
{
	const struct hang_watch *watch = self();
	size_t len = strlen(out);
	char path[200];

	if (i == 0 && watch && watch->files &&
		file_wait_ms(watch->files, path, sizeof(path)) >= LOOK_MS)
		(void)snprintf(out + len, cap - len, ", waiting for %s", path);
}

static void describe(unsigned i, const struct relay_module *mod,
	int64_t silent_ms, char *out, size_t cap)
{
	describe_code(i, mod, silent_ms, out, cap);
	add_file(i, out, cap);
}

unsigned hang_watch_describe(char *out, size_t cap)
{
	struct hang_watch *watch = self();
	unsigned found = 0;
	size_t len = 0;

	out[0] = '\0';
	for (unsigned i = 0; watch && i < watch->count; i++) {
		/* The calling thread does not hang any more. */
		if (!atomic_load(&watch->watched[i].hangs) ||
			loop_lag_loop(i) == loop_current)
			continue;
		if (len < cap && found)
			len += (size_t)snprintf(out + len, cap - len, "; ");
		if (len < cap) {
			describe(i, module_in(i), loop_lag_silence_of_ms(i),
				out + len, cap - len);
			len += strlen(out + len);
		}
		found++;
	}
	return found;
}

void hang_watch_describe_worker(char *out, size_t cap)
{
	unsigned worker;
	int64_t silent_ms = loop_lag_silence_ms(&worker);

	describe(worker + 1, module_in(worker + 1), silent_ms, out, cap);
}

unsigned relay_hanging(char *out, size_t cap)
{
	return hang_watch_describe(out, cap);
}

/* Looks. */

/* The log is delivered by the control thread: if that hangs, only stderr is
 * left. */
static void report(struct hang_watch *watch, unsigned i)
{
	struct watched *watched = &watch->watched[i];
	char text[400];

	describe(i, atomic_load(&watched->outside) ? NULL : watched->found,
		watched->silent_ms, text, sizeof(text));
	if (i == 0)
		log_core_now(RELAY_ERROR,
			"%s: meanwhile HTTP requests, signals and reloads are "
			"not handled",
			text);
	else
		log_core(RELAY_ERROR,
			"%s: the connections of this worker are not served",
			text);
	if (watch->tell)
		watch->tell(text);
}

static void begin_hang(struct hang_watch *watch, unsigned i)
{
	struct watched *watched = &watch->watched[i];
	struct relay_module *module =
		(struct relay_module *)(uintptr_t)watched->found;

	atomic_store(&watched->hangs, true);
	atomic_fetch_add(&watch->hangs[i > 0], 1);
	if (module)
		atomic_fetch_add_explicit(
			&module->hangs, 1, memory_order_relaxed);
}

static void end_hang(struct hang_watch *watch, unsigned i)
{
	struct watched *watched = &watch->watched[i];
	char name[24];

	thread_name(i, name, sizeof(name));
	atomic_store(&watched->hangs, false);
	log_core(RELAY_NOTICE,
		"%s runs its loop again, after %" PRId64 " s%s%s", name,
		watched->silent_ms / 1000, watched->found ? " in module " : "",
		watched->found ? watched->found->def.name : "");
	watched->told_ms = 0;
	atomic_store(&watched->outside, NULL);
	if (watch->tell)
		watch->tell(NULL);
}

static int64_t silence_of_ms(struct hang_watch *watch, unsigned i)
{
	enum hang_watch_phase phase = atomic_load(&watch->phase);

	if (i == 0 && phase == HANG_WATCH_WAIT)
		return 0;
	if (i > 0 && phase == HANG_WATCH_END && !module_in(i))
		return 0;
	return loop_lag_silence_of_ms(i);
}

/* The module that hangs there, as far as that can be known; sets `outside`. */
static const struct relay_module *find_module(
	struct watched *watched, unsigned i)
{
	const struct relay_module *called = module_in(i);
	const struct code_owner *owner =
		called ? NULL : code_running(loop_lag_loop(i));

	atomic_store(&watched->outside, owner ? owner->module : NULL);
	return owner ? owner->module : called;
}

static void look_at(struct hang_watch *watch, unsigned i)
{
	struct watched *watched = &watch->watched[i];
	int64_t silent_ms = silence_of_ms(watch, i);

	if (silent_ms < HANG_MS) {
		if (atomic_load(&watched->hangs))
			end_hang(watch, i);
		return;
	}
	watched->silent_ms = silent_ms;
	if (silent_ms < watched->told_ms * 2)
		return;
	watched->found = find_module(watched, i);
	if (!atomic_load(&watched->hangs))
		begin_hang(watch, i);
	watched->told_ms = silent_ms;
	report(watch, i);
}

static void end_process(void)
{
	char text[400];

	if (hang_watch_describe(text, sizeof(text)) == 0)
		(void)snprintf(text, sizeof(text),
			"the control thread waits for something that does not "
			"end");
	log_core_now(RELAY_ERROR,
		"%s: this process cannot go on without it, and ends", text);
	_exit(EXIT_FAILURE);
}

/* Waits until the next look.  Returns whether there is one. */
static bool wait_for_look(struct hang_watch *watch)
{
	return !posts_take(&watch->over, loop_clock_ms() + LOOK_MS);
}

static void *run(void *arg)
{
	struct hang_watch *watch = arg;
	int64_t before_ms = loop_clock_ms(), now_ms;

	(void)pthread_setname_np(pthread_self(), "hang watch");
	while (wait_for_look(watch)) {
		now_ms = loop_clock_ms();
		/* If this thread itself came late, the process was suspended,
		 * or the machine is overloaded. */
		if (now_ms - before_ms < 2 * LOOK_MS) {
			for (unsigned i = 0; i < watch->count; i++)
				look_at(watch, i);
			if (wait_limit_pass(LOOK_MS))
				end_process();
		}
		before_ms = now_ms;
	}
	return NULL;
}

/* Begin and end. */

int hang_watch_start(hang_watch_tell_fn *tell, struct file_wait *files)
{
	unsigned count = loop_lag_count();
	struct hang_watch *watch =
		calloc(1, sizeof(*watch) + count * sizeof(watch->watched[0]));

	if (!watch || posts_init(&watch->over) != 0)
		goto error;
	watch->tell = tell;
	watch->files = files;
	watch->count = count;
	/* If this fails, a report of a hang names fewer modules. */
	if (code_running_init() != 0)
		log_core(RELAY_DEBUG, "cannot handle SIGURG: %s",
			strerror(errno));
	if (relay_thread_start(&watch->thread, run, watch) == 0) {
		instance->workers->watch = watch;
		return 0;
	}
	posts_finish(&watch->over);
error:
	free(watch);
	log_core(RELAY_ERROR, "cannot watch the loops: no memory or thread");
	return -1;
}

void hang_watch_stop(void)
{
	struct hang_watch *watch = self();

	if (!watch)
		return;
	posts_add(&watch->over);
	(void)pthread_join(watch->thread, NULL);
	instance->workers->watch = NULL;
	posts_finish(&watch->over);
	free(watch);
}

static void touch_all(const struct hang_watch *watch)
{
	for (unsigned i = 0; i < watch->count; i++)
		loop_lag_touch(i);
}

void hang_watch_expect(enum hang_watch_phase phase)
{
	struct hang_watch *watch = self();

	if (!watch)
		return;
	if (phase == HANG_WATCH_END)
		touch_all(watch);
	else
		loop_lag_touch(0);
	atomic_store(&watch->phase, phase);
}

void hang_watch_stepped(struct loop *loop)
{
	const struct hang_watch *watch = self();

	if (!watch)
		return;
	switch (atomic_load(&watch->phase)) {
	case HANG_WATCH_WAIT:
	case HANG_WATCH_LOOP:
		break;
	case HANG_WATCH_CALLS:
		/* The control thread waits for the workers that it calls. */
		loop_lag_touch(0);
		loop_lag_touch((unsigned)(loop->index + 1));
		break;
	case HANG_WATCH_END:
		touch_all(watch);
		break;
	}
}

/* Metrics. */

static const char *const loops[] = {"control", "worker", NULL};

static int64_t read_hangs(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	return self() ? atomic_load(&self()->hangs[value]) : 0;
}

static int64_t read_hanging(struct relay_ctx *cx, unsigned value)
{
	const struct hang_watch *watch = self();
	int64_t found = 0;

	(void)cx;
	for (unsigned i = 0; watch && i < watch->count; i++)
		if ((i > 0) == (value > 0))
			found += atomic_load(&watch->watched[i].hangs);
	return found;
}

int hang_watch_metrics_init(void)
{
	static const struct relay_metric_def hangs = {
		.name = "hangs",
		.kind = RELAY_COUNTER,
		.help = "How often a thread did not run its event "
			"loop for 5 s.",
		.label = "loop",
		.values = loops,
		.read = read_hangs,
	};
	static const struct relay_metric_def hanging = {
		.name = "hanging_threads",
		.kind = RELAY_GAUGE,
		.help = "Threads that have not run their event loop "
			"for 5 s.",
		.label = "loop",
		.values = loops,
		.read = read_hanging,
	};

	return metrics_add_core(&hangs) && metrics_add_core(&hanging) ? 0 : -1;
}

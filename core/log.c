/* SPDX-License-Identifier: MPL-2.0 */

/* The log: levels, sinks, and the way of a record to them. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hooks.h"
#include "log.h"
#include "log_queue.h"
#include "log_record.h"
#include "loop.h"
#include "module.h"

/* How long one record may wait for a stderr that takes nothing. */
#define STDERR_PATIENCE_MS 100

struct sink {
	struct sink *next;
	struct relay_module *owner; /* borrowed */
	relay_log_sink_fn *fn;
	enum relay_level level;
	bool live;
};

/* All but the atomics is [C]. */
static struct {
	struct sink *sinks; /* in the order they were added */
	bool debug;
	bool holding;         /* until it is known where the log goes */
	atomic_int threshold; /* the highest level that anyone wants */
	_Atomic(struct loop *) control;
	atomic_bool stderr_stuck;
} logs = {.threshold = RELAY_INFO};

/* In a sink: what is logged now must not come back to it. */
static _Thread_local bool delivering;

static enum relay_level stderr_level(void)
{
	return logs.debug ? RELAY_DEBUG : RELAY_INFO;
}

static bool any_live(void)
{
	for (const struct sink *s = logs.sinks; s; s = s->next) {
		if (s->live)
			return true;
	}
	return false;
}

static void update_threshold(void)
{
	int level = RELAY_ERROR;

	if (logs.debug || !any_live())
		level = (int)stderr_level();
	for (const struct sink *s = logs.sinks; s; s = s->next) {
		if (s->live && (int)s->level > level)
			level = (int)s->level;
	}
	atomic_store_explicit(&logs.threshold, level, memory_order_relaxed);
}

bool relay_log_wanted(enum relay_level level)
{
	return (int)level <=
	       atomic_load_explicit(&logs.threshold, memory_order_relaxed);
}

/* One that has been stuck gets no more patience until it takes a line. */
static bool stderr_ready(void)
{
	struct pollfd pfd = {.fd = STDERR_FILENO, .events = POLLOUT};
	int wait_ms = atomic_load(&logs.stderr_stuck) ? 0 : STDERR_PATIENCE_MS;
	bool ready = poll(&pfd, 1, wait_ms) > 0 && (pfd.revents & POLLOUT);

	atomic_store(&logs.stderr_stuck, !ready);
	return ready;
}

static void write_stderr(const struct log_view *view)
{
	char line[LOG_LINE_MAX];
	size_t len = relay_log_text(&view->pub, line, sizeof(line));
	ssize_t n;

	line[len++] = '\n'; /* in place of the NUL */
	if (!stderr_ready()) {
		log_queue_count_drop();
		return;
	}
	do
		n = write(STDERR_FILENO, line, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		log_queue_count_drop();
}

static void call_sinks(const struct log_view *view)
{
	for (struct sink *s = logs.sinks; s; s = s->next) {
		struct relay_ctx *cx = &s->owner->control.pub;
		const struct relay_ctx *before;

		if (!s->live || (!logs.debug && view->pub.level > s->level))
			continue;
		before = hooks_enter(cx);
		delivering = true;
		s->fn(cx, &view->pub);
		delivering = false;
		hooks_leave(before);
	}
}

/* [C], or before there is a control thread. */
static void deliver(const struct log_record *record)
{
	struct log_view view;

	log_record_view(record, &view);
	if (any_live())
		call_sinks(&view);
	else if (record->level <= stderr_level())
		write_stderr(&view);
}

static void make_core(struct log_record *record, enum relay_level level,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void make_core(
	struct log_record *record, enum relay_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_record_make(record, "core", level, NULL, fmt, ap);
	va_end(ap);
}

static void report_drops(void)
{
	uint64_t drops;
	struct log_record record;

	/* Not while this report would only be the next one to be lost. */
	if (!any_live() && atomic_load(&logs.stderr_stuck) && !stderr_ready())
		return;
	drops = log_queue_take_drops();
	if (!drops)
		return;
	make_core(&record, RELAY_WARNING,
		"%llu log records were lost: there was no room for them",
		(unsigned long long)drops);
	deliver(&record);
}

/* No more than waits now: other threads could keep us here for ever. */
void log_flush(void)
{
	size_t left = log_queue_used();
	struct log_record record;

	if (logs.holding)
		return;
	while (left > 0 && log_queue_pop(&record)) {
		deliver(&record);
		left -= log_record_size(&record);
	}
	report_drops();
}

static void flush_posted(struct loop *loop, void *arg)
{
	(void)loop;
	(void)arg;
	log_queue_woken();
	log_flush();
}

static void submit(const struct log_record *record)
{
	struct loop *control = atomic_load(&logs.control);
	bool wake;

	if (!control) {
		deliver(record);
	} else if (control == loop_current && !logs.holding) {
		log_flush();
		deliver(record);
	} else {
		(void)log_queue_push(record, &wake);
		if (wake && loop_post(control, flush_posted, NULL, 0))
			log_queue_not_woken();
	}
}

static void log_valist(const char *component, enum relay_level level,
	const struct relay_field *fields, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

static void log_valist(const char *component, enum relay_level level,
	const struct relay_field *fields, const char *fmt, va_list ap)
{
	int saved = errno; /* callers log between a failure and its cause */
	struct log_record record;
	struct log_view view;

	log_record_make(&record, component, level, fields, fmt, ap);
	if (delivering) {
		log_record_view(&record, &view);
		write_stderr(&view);
	} else {
		submit(&record);
	}
	errno = saved;
}

static const char *component_of(const struct relay_ctx *cx)
{
	return cx ? cx->mod->def.name : "core";
}

void relay_log(const struct relay_ctx *cx, enum relay_level level,
	const char *fmt, ...)
{
	va_list ap;

	if (!relay_log_wanted(level))
		return;
	va_start(ap, fmt);
	log_valist(component_of(cx), level, NULL, fmt, ap);
	va_end(ap);
}

void relay_log_fields(const struct relay_ctx *cx, enum relay_level level,
	const struct relay_field *fields, const char *fmt, ...)
{
	va_list ap;

	if (!relay_log_wanted(level))
		return;
	va_start(ap, fmt);
	log_valist(component_of(cx), level, fields, fmt, ap);
	va_end(ap);
}

void log_core(enum relay_level level, const char *fmt, ...)
{
	va_list ap;

	if (!relay_log_wanted(level))
		return;
	va_start(ap, fmt);
	log_valist("core", level, NULL, fmt, ap);
	va_end(ap);
}

void log_core_fields(enum relay_level level, const struct relay_field *fields,
	const char *fmt, ...)
{
	va_list ap;

	if (!relay_log_wanted(level))
		return;
	va_start(ap, fmt);
	log_valist("core", level, fields, fmt, ap);
	va_end(ap);
}

static struct sink *find(const struct relay_module *mod)
{
	struct sink *s = logs.sinks;

	while (s && s->owner != mod)
		s = s->next;
	return s;
}

int relay_log_sink(
	struct relay_ctx *cx, enum relay_level level, relay_log_sink_fn *fn)
{
	struct sink **at = &logs.sinks, *s;

	if (find(cx->mod))
		return -1;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -1;
	s->owner = cx->mod;
	s->fn = fn;
	s->level = level;
	while (*at)
		at = &(*at)->next;
	*at = s;
	return 0;
}

void relay_log_sink_level(struct relay_ctx *cx, enum relay_level level)
{
	struct sink *s = find(cx->mod);

	if (!s)
		return;
	s->level = level;
	update_threshold();
}

void log_publish(struct relay_module *mod)
{
	struct sink *s = find(mod);

	if (!s)
		return;
	log_flush(); /* what came before is for those who were there */
	s->live = true;
	update_threshold();
}

void log_withdraw(struct relay_module *mod)
{
	struct sink **at = &logs.sinks, *s = find(mod);

	if (!s)
		return;
	if (s->live)
		log_flush();
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	free(s);
	update_threshold();
}

void log_init(bool debug)
{
	tzset();
	(void)signal(SIGPIPE, SIG_IGN);
	log_debug(debug);
}

void log_debug(bool on)
{
	logs.debug = on;
	update_threshold();
}

void log_attach(struct loop *control)
{
	atomic_store(&logs.control, control);
}

void log_hold(void)
{
	logs.holding = true;
}

void log_release(void)
{
	logs.holding = false;
	log_flush();
}

void log_detach(void)
{
	log_release();
	atomic_store(&logs.control, NULL);
	log_queue_woken(); /* the message that is on its way gets lost */
}

int64_t log_dropped(void)
{
	return (int64_t)log_queue_drops();
}

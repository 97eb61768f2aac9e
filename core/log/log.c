/* SPDX-License-Identifier: MPL-2.0 */

/* The log: levels, sinks, and the way of a record to them. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "log/log_queue.h"
#include "log/log_record.h"

/* How long one record may wait for a stderr that takes nothing. */
#define STDERR_PATIENCE_MS 100

/* All but the atomics is [C]. */
static struct {
	const struct log_sinks *sinks; /* borrowed; NULL: none are possible */
	struct log_thread control;     /* set while attached */
	bool debug;
	bool holding;         /* until it is known where the log goes */
	atomic_int threshold; /* the highest level that anyone wants */
	atomic_bool attached;
	atomic_bool stderr_stuck;
} logs = {.threshold = RELAY_INFO};

/* In a sink: what is logged now must not come back to it. */
static _Thread_local bool delivering;

static enum relay_level stderr_level(void)
{
	return logs.debug ? RELAY_DEBUG : RELAY_INFO;
}

static bool has_sinks(void)
{
	return logs.sinks && logs.sinks->any();
}

void log_sinks_changed(void)
{
	int level = RELAY_ERROR, wanted;

	if (logs.debug || !has_sinks())
		level = (int)stderr_level();
	wanted = logs.sinks ? (int)logs.sinks->level() : level;
	if (wanted > level)
		level = wanted;
	atomic_store_explicit(&logs.threshold, level, memory_order_relaxed);
}

void log_set_sinks(const struct log_sinks *sinks)
{
	logs.sinks = sinks;
	log_sinks_changed();
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

/* [C], or before there is a control thread. */
static void deliver(const struct log_record *record)
{
	struct log_view view;

	log_record_view(record, &view);
	if (has_sinks()) {
		delivering = true;
		logs.sinks->deliver(&view.pub, logs.debug);
		delivering = false;
	} else if (record->level <= stderr_level()) {
		write_stderr(&view);
	}
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
	if (!has_sinks() && atomic_load(&logs.stderr_stuck) && !stderr_ready())
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

void log_woken(void)
{
	log_queue_woken();
	log_flush();
}

static void submit(const struct log_record *record)
{
	bool wake;

	if (!atomic_load(&logs.attached)) {
		deliver(record);
	} else if (!logs.holding && logs.control.is_here(logs.control.arg)) {
		log_flush();
		deliver(record);
	} else {
		(void)log_queue_push(record, &wake);
		if (wake && logs.control.wake(logs.control.arg) != 0)
			log_queue_not_woken();
	}
}

void log_valist(const char *component, enum relay_level level,
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

void log_init(bool debug)
{
	tzset();
	(void)signal(SIGPIPE, SIG_IGN);
	log_debug(debug);
}

void log_debug(bool on)
{
	logs.debug = on;
	log_sinks_changed();
}

void log_attach(const struct log_thread *control)
{
	logs.control = *control;
	atomic_store(&logs.attached, true);
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
	atomic_store(&logs.attached, false);
	log_queue_woken(); /* the message that is on its way gets lost */
}

int64_t log_dropped(void)
{
	return (int64_t)log_queue_drops();
}

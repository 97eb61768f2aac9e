/* SPDX-License-Identifier: MPL-2.0 */

/* The log: levels, and the delivery of records to sinks or stderr. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/instance.h"
#include "log/log.h"
#include "log/log_queue.h"
#include "log/log_record.h"

/* How long one record may wait for a stderr that is not writable. */
#define STDERR_WAIT_MS 100

/* All members but the atomics are [C]. */
struct log_state {
	struct log_queue *queue;       /* owned */
	const struct log_sinks *sinks; /* borrowed; NULL: only stderr */
	struct log_thread control;     /* set while attached */
	bool debug;
	bool holding;         /* records wait: see log_hold() */
	uint64_t lost;        /* records that a sink could not write; [C] */
	atomic_int threshold; /* the highest level that is wanted */
	atomic_bool attached;
	atomic_bool stderr_stuck;
};

/* The thread is in a sink.  What it logs goes to stderr, not to a sink again.
 */
static _Thread_local bool delivering;

static enum relay_level stderr_level(void)
{
	return instance->log->debug ? RELAY_DEBUG : RELAY_INFO;
}

static bool has_sinks(void)
{
	const struct log_sinks *sinks = instance->log->sinks;

	return sinks && sinks->any();
}

void log_sinks_changed(void)
{
	struct log_state *log = instance->log;
	int level = RELAY_ERROR, wanted;

	if (log->debug || !has_sinks())
		level = (int)stderr_level();
	wanted = log->sinks ? (int)log->sinks->level() : level;
	if (wanted > level)
		level = wanted;
	atomic_store_explicit(&log->threshold, level, memory_order_relaxed);
}

void log_set_sinks(const struct log_sinks *sinks)
{
	instance->log->sinks = sinks;
	log_sinks_changed();
}

bool relay_log_wanted(enum relay_level level)
{
	struct log_state *log = instance->log;

	/* The log is NULL before log_create() and after log_destroy(). */
	return log && (int)level <= atomic_load_explicit(&log->threshold,
					    memory_order_relaxed);
}

/* Waits for stderr to become writable.  After a wait that failed, it does not
 * wait again until stderr has been writable. */
static bool stderr_ready(void)
{
	struct pollfd pfd = {.fd = STDERR_FILENO, .events = POLLOUT};
	atomic_bool *stuck = &instance->log->stderr_stuck;
	int wait_ms = atomic_load(stuck) ? 0 : STDERR_WAIT_MS;
	int found = poll(&pfd, 1, wait_ms);
	/* Where poll(2) is missing, the write may block. */
	bool ready = found > 0 ? (pfd.revents & POLLOUT) != 0
			       : found < 0 && errno != EINTR;

	atomic_store(stuck, !ready);
	return ready;
}

static void write_stderr(const struct log_view *view)
{
	char line[LOG_LINE_MAX];
	size_t len = relay_log_text(&view->pub, line, sizeof(line));
	ssize_t n;

	line[len++] = '\n'; /* in place of the NUL */
	if (!stderr_ready()) {
		log_queue_count_drop(instance->log->queue);
		return;
	}
	do
		n = write(STDERR_FILENO, line, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		log_queue_count_drop(instance->log->queue);
}

/* [C], or any thread while the log is not attached. */
static void deliver(const struct log_record *record)
{
	const struct log_state *log = instance->log;
	struct log_view view;

	log_record_view(record, &view);
	if (has_sinks()) {
		delivering = true;
		log->sinks->deliver(&view.pub, log->debug || record->always);
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
	struct log_state *log = instance->log;
	uint64_t drops;
	struct log_record record;

	/* Not while stderr is stuck: this report would be lost, too. */
	if (!has_sinks() && atomic_load(&log->stderr_stuck) && !stderr_ready())
		return;
	drops = log_queue_take_drops(log->queue);
	if (!drops)
		return;
	make_core(&record, RELAY_WARNING,
		"%llu log records were lost: there was no room for them",
		(unsigned long long)drops);
	deliver(&record);
}

/* Delivers only what is queued now: other threads may add records as fast as
 * they are delivered. */
void log_flush(void)
{
	struct log_state *log = instance->log;
	size_t left = log_queue_used(log->queue);
	struct log_record record;

	if (log->holding)
		return;
	while (left > 0 && log_queue_pop(log->queue, &record)) {
		deliver(&record);
		left -= log_record_size(&record);
	}
	report_drops();
}

void log_woken(void)
{
	log_queue_not_woken(instance->log->queue);
	log_flush();
}

static void submit(const struct log_record *record)
{
	struct log_state *log = instance->log;
	bool wake;

	if (!atomic_load(&log->attached)) {
		deliver(record);
	} else if (!log->holding && log->control.is_here(log->control.arg)) {
		log_flush();
		deliver(record);
	} else {
		(void)log_queue_push(log->queue, record, &wake);
		if (wake && log->control.wake(log->control.arg) != 0)
			log_queue_not_woken(log->queue);
	}
}

static void submit_or_write(const struct log_record *record)
{
	struct log_view view;

	if (delivering) {
		log_record_view(record, &view);
		write_stderr(&view);
	} else {
		submit(record);
	}
}

void log_valist(const char *component, enum relay_level level,
	const struct relay_field *fields, const char *fmt, va_list ap)
{
	int saved = errno; /* callers may use it after logging */
	struct log_record record;

	log_record_make(&record, component, level, fields, fmt, ap);
	submit_or_write(&record);
	errno = saved;
}

void log_always_valist(const char *component, const struct relay_field *fields,
	const char *fmt, va_list ap)
{
	int saved = errno;
	struct log_record record;

	log_record_make(&record, component, RELAY_NOTICE, fields, fmt, ap);
	record.always = true;
	submit_or_write(&record);
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

void log_core_now(enum relay_level level, const char *fmt, ...)
{
	struct log_record record;
	struct log_view view;
	va_list ap;

	va_start(ap, fmt);
	log_record_make(&record, "core", level, NULL, fmt, ap);
	va_end(ap);
	log_record_view(&record, &view);
	write_stderr(&view);
}

int log_create(void)
{
	struct log_state *log = calloc(1, sizeof(*log));

	if (!log)
		return -1;
	log->queue = log_queue_create();
	if (!log->queue) {
		free(log);
		return -1;
	}
	atomic_init(&log->threshold, RELAY_INFO);
	instance->log = log;
	tzset();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	return 0;
}

void log_destroy(void)
{
	struct log_state *log = instance->log;

	if (!log)
		return;
	instance->log = NULL;
	log_queue_destroy(log->queue);
	free(log);
}

void log_debug(bool on)
{
	instance->log->debug = on;
	log_sinks_changed();
}

void log_attach(const struct log_thread *control)
{
	instance->log->control = *control;
	atomic_store(&instance->log->attached, true);
}

void log_hold(void)
{
	instance->log->holding = true;
}

void log_release(void)
{
	instance->log->holding = false;
	log_flush();
}

void log_detach(void)
{
	struct log_state *log = instance->log;

	log_release();
	atomic_store(&log->attached, false);
	/* A wake-up that was sent but not received will be lost. */
	log_queue_not_woken(log->queue);
}

void relay_log_lost(const struct relay_ctx *cx, uint64_t records)
{
	(void)cx;
	instance->log->lost += records;
}

int64_t log_dropped(void)
{
	return (int64_t)(log_queue_drops(instance->log->queue) +
			 instance->log->lost);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of log records: queue, sinks, stderr. */

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "modules/hooks.h"
#include "log/log.h"
#include "loop/loop.h"
#include "modules/module.h"
#include "modules/module_log.h"
#include "modules/modules.h"

static struct loop control;
static struct relay_module module = {.def = {.name = "sinker"}};
static int saved_stderr, reader = -1;
static char seen[65536]; /* by the sink */
static bool sink_logs;

const struct relay_ctx *hooks_enter(const struct relay_ctx *cx)
{
	return cx;
}

void hooks_leave(const struct relay_ctx *before)
{
	(void)before;
}

int64_t relay_wall_us(void)
{
	return 0;
}

static void sink(struct relay_ctx *cx, const struct relay_log_record *record)
{
	size_t len = strlen(seen);

	(void)snprintf(seen + len, sizeof(seen) - len, "%s|%s:%s\n",
		relay_level_word(record->level), record->component,
		record->text);
	if (sink_logs)
		relay_log(cx, RELAY_ERROR, "the sink's own");
}

/* Replaces stderr by a pipe that take_stderr() reads. */
static int setup(void **state)
{
	int ends[2];

	(void)state;
	module.control.pub.mod = &module;
	module.control.pub.worker = RELAY_CONTROL;
	saved_stderr = dup(STDERR_FILENO);
	if (saved_stderr < 0 || pipe2(ends, O_CLOEXEC))
		return -1;
	reader = ends[0];
	if (dup2(ends[1], STDERR_FILENO) < 0 || close(ends[1]))
		return -1;
	if (fcntl(reader, F_SETFL, O_NONBLOCK))
		return -1;
	seen[0] = '\0';
	sink_logs = false;
	if (loop_init(&control, RELAY_CONTROL))
		return -1;
	loop_current = &control;
	if (log_create() || modules_create())
		return -1;
	module_log_init();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	module_log_withdraw(&module);
	log_detach();
	loop_current = NULL;
	loop_finish(&control);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	if (reader >= 0)
		close(reader);
	modules_destroy();
	log_destroy();
	return 0;
}

static const char *take_stderr(void)
{
	static char text[65536 * 2];
	ssize_t n = read(reader, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void *log_one(void *arg)
{
	loop_current = NULL;
	log_core(RELAY_INFO, "%s", (const char *)arg);
	return NULL;
}

static void log_elsewhere(const char *text)
{
	pthread_t thread;

	assert_int_equal(
		pthread_create(&thread, NULL, log_one, (void *)(uintptr_t)text),
		0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void goes_to_stderr_at_once_without_a_loop(void **state)
{
	(void)state;
	log_core(RELAY_NOTICE, "hello");
	log_core(RELAY_DEBUG, "hidden");
	assert_non_null(strstr(take_stderr(), " notice core: hello\n"));
	log_debug(true);
	log_core(RELAY_DEBUG, "shown");
	assert_non_null(strstr(take_stderr(), " debug core: shown\n"));
}

static void other_threads_wait_for_the_control_thread(void **state)
{
	const char *text;

	(void)state;
	loop_attach_log(&control);
	log_elsewhere("from afar");
	assert_string_equal(take_stderr(), "");
	log_core(RELAY_INFO, "near");
	text = take_stderr();
	assert_non_null(strstr(text, "from afar"));
	assert_true(strstr(text, "from afar") < strstr(text, "near"));
	log_elsewhere("second");
	loop_deliver(&control);
	assert_non_null(strstr(take_stderr(), "second"));
	log_elsewhere("third");
	loop_deliver(&control);
	assert_non_null(strstr(take_stderr(), "third"));
}

static void a_sink_takes_over_when_it_is_live(void **state)
{
	(void)state;
	loop_attach_log(&control);
	assert_int_equal(
		relay_log_sink(&module.control.pub, RELAY_WARNING, sink), 0);
	assert_int_equal(
		relay_log_sink(&module.control.pub, RELAY_WARNING, sink), -1);
	log_core(RELAY_WARNING, "early");
	assert_string_equal(seen, "");
	log_elsewhere("before");
	module_log_publish(&module);
	assert_non_null(strstr(take_stderr(), "before"));
	assert_false(relay_log_wanted(RELAY_NOTICE));
	relay_log(&module.control.pub, RELAY_WARNING, "now");
	log_core(RELAY_NOTICE, "below");
	assert_string_equal(seen, "warning|sinker:now\n");
	assert_string_equal(take_stderr(), "");
	relay_log_sink_level(&module.control.pub, RELAY_INFO);
	log_elsewhere("queued");
	module_log_withdraw(&module);
	assert_non_null(strstr(seen, "info|core:queued\n"));
	log_core(RELAY_INFO, "after");
	assert_non_null(strstr(take_stderr(), "after"));
}

static void debug_raises_sinks_too(void **state)
{
	(void)state;
	assert_int_equal(
		relay_log_sink(&module.control.pub, RELAY_ERROR, sink), 0);
	module_log_publish(&module);
	log_debug(true);
	log_core(RELAY_DEBUG, "all");
	assert_string_equal(seen, "debug|core:all\n");
	log_debug(false);
	log_core(RELAY_DEBUG, "none");
	assert_string_equal(seen, "debug|core:all\n");
}

static void some_records_are_for_every_level(void **state)
{
	const struct relay_field who[] = {{"user", "0"}, {NULL, NULL}};

	(void)state;
	assert_int_equal(
		relay_log_sink(&module.control.pub, RELAY_ERROR, sink), 0);
	module_log_publish(&module);
	relay_log_fields(NULL, RELAY_NOTICE, who, "hidden");
	relay_log_always(&module.control.pub, who, "command: %s", "kick");
	assert_string_equal(seen, "notice|sinker:command: kick\n");
}

static void what_a_sink_logs_goes_to_stderr(void **state)
{
	(void)state;
	sink_logs = true;
	assert_int_equal(
		relay_log_sink(&module.control.pub, RELAY_INFO, sink), 0);
	module_log_publish(&module);
	log_core(RELAY_INFO, "x");
	assert_string_equal(seen, "info|core:x\n");
	assert_non_null(strstr(take_stderr(), "error sinker: the sink's own"));
}

static void *log_many(void *arg)
{
	char big[900];

	(void)arg;
	loop_current = NULL;
	memset(big, 'b', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (int i = 0; i < 3000; i++)
		log_core(RELAY_INFO, "%s", big);
	return NULL;
}

static void a_full_queue_drops_and_says_how_many(void **state)
{
	int64_t before = log_dropped(), drops;
	pthread_t thread;
	char want[80];

	(void)state;
	loop_attach_log(&control);
	assert_int_equal(
		relay_log_sink(&module.control.pub, RELAY_WARNING, sink), 0);
	module_log_publish(&module);
	relay_log_sink_level(&module.control.pub, RELAY_INFO);
	assert_int_equal(pthread_create(&thread, NULL, log_many, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	drops = log_dropped() - before;
	assert_true(drops > 1000 && drops < 3000);
	relay_log_sink_level(&module.control.pub, RELAY_WARNING);
	loop_deliver(&control);
	(void)snprintf(want, sizeof(want), "warning|core:%d log records were",
		(int)drops);
	assert_non_null(strstr(seen, want));
}

static void a_stuck_or_broken_stderr_neither_blocks_nor_kills(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++)
		log_core(RELAY_INFO, "a line that fills the pipe: %d", i);
	assert_true(log_dropped() > 0);
	(void)take_stderr();
	(void)take_stderr();
	log_core(RELAY_INFO, "works again");
	assert_non_null(strstr(take_stderr(), "works again"));
	close(reader);
	reader = -1;
	log_core(RELAY_INFO, "nobody reads");
	close(STDERR_FILENO);
	log_core(RELAY_INFO, "nothing there");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(goes_to_stderr_at_once_without_a_loop),
		T(other_threads_wait_for_the_control_thread),
		T(a_sink_takes_over_when_it_is_live),
		T(debug_raises_sinks_too),
		T(some_records_are_for_every_level),
		T(what_a_sink_logs_goes_to_stderr),
		T(a_full_queue_drops_and_says_how_many),
		T(a_stuck_or_broken_stderr_neither_blocks_nor_kills),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

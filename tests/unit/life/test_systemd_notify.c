/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of notifications to the service manager, without a running server. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/event.h>

#include <strelaysrv/metric.h>

#include "workers/loop_lag.h"
#include "log/log.h"
#include "life/life_state.h"
#include "life/systemd_notify.h"

static int64_t silence_ms, devices;
static unsigned errors;
static int manager;
static struct event_base *base;

/* Replacements for functions of the server that systemd_notify.c calls. */

unsigned relay_hanging(char *out, size_t cap)
{
	assert_true(cap > 0);
	out[0] = '\0';
	return 0;
}

int64_t loop_lag_silence_ms(unsigned *worker)
{
	*worker = 1;
	return silence_ms;
}

int64_t relay_metric_value(struct relay_ctx *cx, const char *module,
	const char *name, const char *value_name)
{
	(void)cx;
	(void)module;
	(void)value_name;
	return strcmp(name, "connections") == 0 ? devices : 0;
}

void log_core(enum relay_level level, const char *fmt, ...)
{
	(void)fmt;
	errors += level == RELAY_ERROR;
}

/* The manager's socket is in the abstract namespace. */
static int setup(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char name[64];
	int len = snprintf(name, sizeof(name), "@relay-unit-%d", (int)getpid());

	(void)state;
	memcpy(at.sun_path + 1, name + 1, (size_t)len - 1);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	base = event_base_new();
	silence_ms = devices = 0;
	errors = 0;
	if (manager < 0 || !base || life_create() != 0 ||
		bind(manager, (struct sockaddr *)&at,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				    (size_t)len)))
		return -1;
	return setenv("NOTIFY_SOCKET", name, 1) ||
	       setenv("WATCHDOG_USEC", "2400000", 1);
}

static int teardown(void **state)
{
	(void)state;
	systemd_notify_finish();
	life_destroy();
	event_base_free(base);
	(void)close(manager);
	return 0;
}

static const char *told(void)
{
	static char text[1024];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void start(void)
{
	struct relay_err err;

	assert_int_equal(systemd_notify_init(&err), 0);
	assert_int_equal(systemd_notify_ready(base), 0);
	assert_non_null(strstr(told(), "READY=1\nMAINPID="));
}

static void one_tick(void)
{
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
}

static void a_loop_that_is_silent_ends_the_signs_of_life(void **state)
{
	(void)state;
	start();
	one_tick();
	assert_string_equal(told(), "WATCHDOG=1");
	silence_ms = 1200;
	one_tick();
	assert_string_equal(told(), "WATCHDOG=1");
	silence_ms = 1201;
	one_tick();
	one_tick();
	assert_string_equal(told(), "");
	assert_int_equal(errors, 1);
	silence_ms = 0;
	one_tick();
	assert_string_equal(told(), "WATCHDOG=1");
}

static void numbers_are_told_when_they_change(void **state)
{
	(void)state;
	start();
	one_tick();
	assert_string_equal(told(), "WATCHDOG=1");
	assert_string_equal(told(), "");
	devices = 7;
	one_tick();
	assert_string_equal(told(), "WATCHDOG=1");
	assert_string_equal(told(), "STATUS=connected devices: 7, sessions: 0");
}

static void a_line_of_ones_own_stays(void **state)
{
	(void)state;
	start();
	systemd_notify_status("draining");
	assert_string_equal(told(), "STATUS=draining");
	systemd_notify_reloaded();
	assert_string_equal(told(), "READY=1\nSTATUS=draining");
	systemd_notify_status(NULL);
	assert_string_equal(told(), "STATUS=connected devices: 0, sessions: 0");
	assert_int_equal(systemd_notify_main_pid(4711), 0);
	assert_string_equal(told(), "MAINPID=4711");
	systemd_notify_stopping("stopping");
	assert_string_equal(told(), "");
	assert_int_equal(systemd_notify_main_pid(getpid()), 0);
	assert_non_null(strstr(told(), "MAINPID="));
	systemd_notify_stopping("stopping");
	assert_string_equal(told(), "STOPPING=1\nSTATUS=stopping");
	assert_int_equal(systemd_notify_main_pid(4711), 0);
	(void)told();
}

static void patience_is_half_of_what_is_asked_for(void **state)
{
	(void)state;
	assert_int_equal(systemd_notify_stuck_limit_ms(NULL, NULL, 5), 0);
	assert_int_equal(systemd_notify_stuck_limit_ms("", NULL, 5), 0);
	assert_int_equal(systemd_notify_stuck_limit_ms("0", NULL, 5), 0);
	assert_int_equal(systemd_notify_stuck_limit_ms("-1", NULL, 5), 0);
	assert_int_equal(
		systemd_notify_stuck_limit_ms("30000000", NULL, 5), 15000);
	assert_int_equal(
		systemd_notify_stuck_limit_ms("30000000", "5", 5), 15000);
	assert_int_equal(systemd_notify_stuck_limit_ms("30000000", "6", 5), 0);
	assert_int_equal(systemd_notify_stuck_limit_ms("30000000", "x", 5), 0);
	assert_int_equal(systemd_notify_stuck_limit_ms("1000", NULL, 5),
		2 * LOOP_LAG_BEAT_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_loop_that_is_silent_ends_the_signs_of_life, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			numbers_are_told_when_they_change, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_line_of_ones_own_stays, setup, teardown),
		cmocka_unit_test(patience_is_half_of_what_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

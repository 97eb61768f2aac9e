/* SPDX-License-Identifier: MPL-2.0 */

/* When the other relays are checked, how many at a time, and what a reload
 * keeps of them.  The checks themselves are the test's. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "endpoint/others.h"
#include "endpoint/report.h"

#define MINUTE 60000

static struct {
	int64_t now_ms;
	enum relay_drain drain;
	enum probe_result result;
	bool slow; /* checks do not end */
	unsigned begun, counted[PROBE_RESULTS];
	char logged[256];
	unsigned lines;
} world;

static struct state state;
static struct conf conf;
static struct relay_ctx cx = {.conf = &conf, .data = &state};
static struct relay_err err;

void probe_begin(
	struct probe *probe, const struct other_uri *uri, int64_t end_ms)
{
	(void)uri;
	assert_int_equal(probe->stage, PROBE_IDLE);
	assert_int_equal(end_ms, world.now_ms + conf.timeout_ms);
	probe->stage = PROBE_LOOKING;
	world.begun++;
}

bool probe_step(struct probe *probe, const struct other_uri *uri, SSL_CTX *tls,
	int64_t now_ms)
{
	(void)uri;
	(void)now_ms;
	assert_ptr_equal(tls, state.tls);
	if (world.slow)
		return false;
	probe->stage = PROBE_IDLE;
	probe->result = world.result;
	(void)relay_fail(&probe->why, "a reason");
	return true;
}

void probe_finish(struct probe *probe)
{
	probe->stage = PROBE_IDLE;
}

SSL_CTX *probe_context(void)
{
	return (SSL_CTX *)&world;
}

void SSL_CTX_free(SSL_CTX *tls)
{
	(void)tls;
}

void report_check(const struct relay_ctx *self, enum probe_result result)
{
	(void)self;
	world.counted[result]++;
}

int64_t relay_now_ms(const struct relay_ctx *self)
{
	(void)self;
	return world.now_ms;
}

enum relay_drain relay_draining(void)
{
	return world.drain;
}

void relay_log(const struct relay_ctx *self, enum relay_level level,
	const char *fmt, ...)
{
	va_list ap;

	(void)self;
	(void)level;
	va_start(ap, fmt);
	(void)vsnprintf(world.logged, sizeof(world.logged), fmt, ap);
	va_end(ap);
	world.lines++;
}

static void load(const char *const *relays)
{
	conf.relays = relays;
	assert_int_equal(others_prepare(&cx, &conf, &err), 0);
	others_commit(&cx);
}

static int setup(void **unused)
{
	(void)unused;
	memset(&world, 0, sizeof(world));
	memset(&state, 0, sizeof(state));
	world.now_ms = 1;
	conf = (struct conf){.interval_ms = MINUTE,
		.timeout_ms = 10000,
		.limits = {.remove_after = 2, .restore_after = 2}};
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	others_finish(&cx);
	return 0;
}

static const char *const two[] = {"relay://a:1", "relay://b:2", NULL};

static void each_is_checked_at_once_and_then_again(void **unused)
{
	(void)unused;
	load(two);
	assert_int_equal(others_work(&cx), 1000);
	assert_int_equal(world.begun, 2);
	assert_int_equal(world.counted[PROBE_ANSWERS], 2);
	world.now_ms += MINUTE * 8 / 10;
	(void)others_work(&cx);
	assert_int_equal(world.begun, 2);
	world.now_ms += MINUTE * 4 / 10;
	(void)others_work(&cx);
	assert_int_equal(world.begun, 4);
}

static void a_change_is_told_once_and_makes_a_new_list(void **unused)
{
	static const char *const one[] = {"relay://a:1", NULL};
	uint64_t version;

	(void)unused;
	load(one);
	(void)others_work(&cx);
	assert_string_equal(world.logged, "a:1 answers, and is listed");
	version = state.version;
	world.result = PROBE_UNREACHED;
	for (unsigned i = 0; i < 5; i++) {
		world.now_ms += 2 * MINUTE;
		(void)others_work(&cx);
		assert_int_equal(world.lines, i < 1 ? 1 : 2);
		assert_int_equal(state.version, version + (i >= 1));
		assert_string_equal(state.others[0]->why.text, "a reason");
	}
	assert_string_equal(
		world.logged, "a:1 is not listed any more: a reason");
	world.result = PROBE_ANSWERS;
	world.now_ms += 2 * MINUTE;
	(void)others_work(&cx);
	assert_string_equal(state.others[0]->why.text, "");
}

static void what_this_machine_lacks_is_no_fault_of_a_relay(void **unused)
{
	(void)unused;
	load(two);
	world.result = PROBE_NOT_MADE;
	for (unsigned i = 0; i < 5; i++) {
		(void)others_work(&cx);
		world.now_ms += 2 * MINUTE;
	}
	assert_int_equal(world.counted[PROBE_NOT_MADE], 10);
	assert_int_equal(state.others[0]->fitness.state, FITNESS_UNCHECKED);
	assert_int_equal(state.others[0]->fitness.against, 0);
}

static void few_are_checked_at_a_time(void **unused)
{
	static const char *const relays[] = {"relay://a:1", "relay://a:2",
		"relay://a:3", "relay://a:4", "relay://a:5", "relay://a:6",
		"relay://a:7", "relay://a:8", "relay://a:9", "relay://a:10",
		NULL};

	(void)unused;
	load(relays);
	world.slow = true;
	assert_int_equal(others_work(&cx), 20);
	assert_int_equal(others_work(&cx), 20);
	assert_int_equal(world.begun, 8);
	world.slow = false;
	(void)others_work(&cx);
	(void)others_work(&cx);
	assert_int_equal(world.begun, 10);
}

static void the_old_process_of_an_upgrade_checks_nobody(void **unused)
{
	(void)unused;
	load(two);
	world.drain = RELAY_DRAIN_MOVE;
	(void)others_work(&cx);
	assert_int_equal(world.begun, 0);
	world.drain = RELAY_DRAIN_LEAVE;
	(void)others_work(&cx);
	assert_int_equal(world.begun, 2);
}

static void a_reload_keeps_what_is_known(void **unused)
{
	static const char *const others[] = {
		"relay://c:3", "relay://b:2", "relay://b:2", NULL};
	static const char *const none[] = {NULL};
	struct other *b;

	(void)unused;
	load(two);
	world.slow = true;
	(void)others_work(&cx);
	b = state.others[1];
	load(others);
	assert_ptr_equal(state.others[1], b);
	assert_int_equal(b->probe.stage, PROBE_LOOKING);
	assert_string_equal(state.others[0]->text, "relay://c:3");
	assert_string_equal(state.others[2]->text, "relay://b:2");
	assert_int_equal(state.others[2]->probe.stage, PROBE_IDLE);
	assert_null(state.others[3]);
	load(none);
	assert_null(state.others[0]);
}

static void a_reload_that_is_refused_changes_nothing(void **unused)
{
	static const char *const wrong[] = {
		"relay://c:3", "relay://nobody", NULL};
	struct conf other = conf;
	struct other *a;

	(void)unused;
	load(two);
	a = state.others[0];
	other.relays = wrong;
	assert_int_equal(others_prepare(&cx, &other, &err), -1);
	assert_null(state.next[0]);
	other.relays = two;
	assert_int_equal(others_prepare(&cx, &other, &err), 0);
	others_abandon(&cx);
	assert_null(state.next[0]);
	assert_ptr_equal(state.others[0], a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			each_is_checked_at_once_and_then_again, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_change_is_told_once_and_makes_a_new_list, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			what_this_machine_lacks_is_no_fault_of_a_relay, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			few_are_checked_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_old_process_of_an_upgrade_checks_nobody, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_reload_keeps_what_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_reload_that_is_refused_changes_nothing, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the quota: periods, used bytes, and the state file. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "meter.h"
#include "period.h"
#include "state.h"

#define DAY_S INT64_C(86400)

static struct zone zone(const char *text)
{
	struct relay_err err = {""};
	struct zone zone;

	if (zone_read(text, &zone, &err) != 0)
		fail_msg("%s", err.text);
	return zone;
}

/* "2026-11-22 17:00:00" in UTC. */
static int64_t at(const char *text)
{
	struct tm tm = {0};

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M:%S", &tm));
	return (int64_t)timegm(&tm);
}

static void same(struct period got, const char *begin, const char *end)
{
	if (got.begin_s != at(begin) || got.end_s != at(end))
		fail_msg("%lld to %lld, want %s to %s", (long long)got.begin_s,
			(long long)got.end_s, begin, end);
}

static void days_begin_at_midnight(void **state)
{
	struct zone utc = zone("UTC"), east = zone("+05:30"),
		    west = zone("-08:00");

	(void)state;
	same(period_day(&utc, at("2026-11-22 00:00:00")), "2026-11-22 00:00:00",
		"2026-11-23 00:00:00");
	same(period_day(&utc, at("2026-11-22 23:59:59")), "2026-11-22 00:00:00",
		"2026-11-23 00:00:00");
	same(period_day(&east, at("2026-11-22 18:29:59")),
		"2026-11-21 18:30:00", "2026-11-22 18:30:00");
	same(period_day(&east, at("2026-11-22 18:30:00")),
		"2026-11-22 18:30:00", "2026-11-23 18:30:00");
	same(period_day(&west, at("2026-01-01 07:59:59")),
		"2025-12-31 08:00:00", "2026-01-01 08:00:00");
	same(period_day(&utc, at("2024-02-29 12:00:00")), "2024-02-29 00:00:00",
		"2024-03-01 00:00:00");
}

static void months_begin_at_their_anchor(void **state)
{
	struct zone utc = zone("utc"), east = zone("+01:00");

	(void)state;
	same(period_month(&utc, at("2026-11-22 17:00:00"), 1),
		"2026-11-01 00:00:00", "2026-12-01 00:00:00");
	same(period_month(&utc, at("2026-12-31 23:59:59"), 1),
		"2026-12-01 00:00:00", "2027-01-01 00:00:00");
	same(period_month(&utc, at("2026-11-14 23:59:59"), 15),
		"2026-10-15 00:00:00", "2026-11-15 00:00:00");
	same(period_month(&utc, at("2026-11-15 00:00:00"), 15),
		"2026-11-15 00:00:00", "2026-12-15 00:00:00");
	same(period_month(&utc, at("2026-01-05 00:00:00"), 15),
		"2025-12-15 00:00:00", "2026-01-15 00:00:00");
	same(period_month(&east, at("2026-10-31 23:00:00"), 1),
		"2026-10-31 23:00:00", "2026-11-30 23:00:00");
}

static void short_months_end_early(void **state)
{
	struct zone utc = zone("UTC");

	(void)state;
	same(period_month(&utc, at("2026-02-27 12:00:00"), 31),
		"2026-01-31 00:00:00", "2026-02-28 00:00:00");
	same(period_month(&utc, at("2026-02-28 00:00:00"), 31),
		"2026-02-28 00:00:00", "2026-03-31 00:00:00");
	same(period_month(&utc, at("2024-03-01 00:00:00"), 30),
		"2024-02-29 00:00:00", "2024-03-30 00:00:00");
	same(period_month(&utc, at("2026-04-30 10:00:00"), 31),
		"2026-04-30 00:00:00", "2026-05-31 00:00:00");
}

/* Each moment of some years belongs to one period, and the next period begins
 * at its end. */
static void periods_follow_each_other(void **state)
{
	static const char *const zones[] = {"UTC", "-11:00", "+14:00", "local"};

	(void)state;
	for (int z = 0; z < 4; z++) {
		struct zone here = zone(zones[z]);

		for (int anchor = 1; anchor <= 31; anchor += 5) {
			int64_t now = at("2023-12-20 11:11:11");

			for (int i = 0; i < 900; i++, now += DAY_S) {
				struct period p =
					period_month(&here, now, anchor);
				struct period d = period_day(&here, now);

				assert_true(p.begin_s <= now && now < p.end_s);
				assert_true(d.begin_s <= now && now < d.end_s);
				assert_true(period_month(&here, p.end_s, anchor)
						    .begin_s == p.end_s);
				assert_true(
					period_day(&here, d.end_s).begin_s ==
					d.end_s);
			}
		}
	}
}

/* A day of 23 hours and one of 25. */
static void local_days_know_summer_time(void **state)
{
	struct zone here = zone("local");
	struct period d;

	(void)state;
	d = period_day(&here, at("2026-03-29 12:00:00"));
	assert_int_equal(d.end_s - d.begin_s, 23 * 3600);
	d = period_day(&here, at("2026-10-25 12:00:00"));
	assert_int_equal(d.end_s - d.begin_s, 25 * 3600);
}

static void zones_are_judged(void **state)
{
	static const char *const bad[] = {"", "Mars", "+1:00", "+01:60",
		"+15:00", "01:00", "+01:00x", "+0a:00"};
	struct relay_err err;
	struct zone out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(zone_read(bad[i], &out, &err), -1);
	assert_int_equal(zone("-03:30").offset_s, -12600);
	assert_true(zone("Local").local);
}

static struct meter_plan plan(int64_t day, int64_t month)
{
	return (struct meter_plan){.cap = {day, month},
		.factor = 1,
		.throttle_at = 80,
		.anchor_day = 1};
}

static void the_strictest_level_counts(void **state)
{
	struct meter_plan p = plan(1000, 10000);
	struct meter meter = {0};

	(void)state;
	meter_turn(&meter, &p, at("2026-11-22 10:00:00"));
	meter_add(&meter, 799);
	assert_int_equal(meter_level(&meter, &p), LEVEL_OPEN);
	meter_add(&meter, 1);
	assert_int_equal(meter_level(&meter, &p), LEVEL_THROTTLED);
	meter_add(&meter, 200);
	assert_int_equal(meter_level(&meter, &p), LEVEL_EXHAUSTED);
	assert_true(meter_resumes_s(&meter, &p, LEVEL_EXHAUSTED,
			    at("2026-11-22 10:00:00")) ==
		    at("2026-11-23 00:00:00"));
	p.throttle_at = 0;
	p.cap[METER_DAY] = 1001;
	assert_int_equal(meter_level(&meter, &p), LEVEL_OPEN);
	p.factor = 2;
	assert_int_equal(meter_used(&meter, &p, METER_DAY), 2000);
	assert_int_equal(meter_level(&meter, &p), LEVEL_EXHAUSTED);
	p.cap[METER_DAY] = 0;
	assert_int_equal(meter_level(&meter, &p), LEVEL_OPEN);
}

static void a_new_period_begins_at_0(void **state)
{
	struct meter_plan p = plan(1000, 10000);
	struct meter meter = {0};

	(void)state;
	assert_true(meter_turn(&meter, &p, at("2026-11-29 23:59:59")));
	meter_add(&meter, 5000);
	assert_false(meter_turn(&meter, &p, at("2026-11-29 23:59:59")));
	assert_true(meter_turn(&meter, &p, at("2026-11-30 00:00:00")));
	assert_int_equal(meter_used(&meter, &p, METER_DAY), 0);
	assert_int_equal(meter_used(&meter, &p, METER_MONTH), 5000);
	meter_add(&meter, 5000);
	assert_int_equal(meter_level(&meter, &p), LEVEL_EXHAUSTED);
	assert_true(meter_resumes_s(&meter, &p, LEVEL_EXHAUSTED,
			    at("2026-11-30 00:00:00")) ==
		    at("2026-12-01 00:00:00"));
	assert_true(meter_turn(&meter, &p, at("2026-12-01 00:00:00")));
	assert_int_equal(meter_level(&meter, &p), LEVEL_OPEN);
	/* Months without traffic are skipped. */
	meter_add(&meter, 1000);
	assert_true(meter_turn(&meter, &p, at("2027-06-01 00:00:00")));
	assert_int_equal(meter_used(&meter, &p, METER_MONTH), 0);
}

static void a_clock_set_back_forgets_nothing(void **state)
{
	struct meter_plan p = plan(1000, 10000);
	struct meter meter = {0};

	(void)state;
	meter_turn(&meter, &p, at("2026-11-22 00:10:00"));
	meter_add(&meter, 700);
	assert_false(meter_turn(&meter, &p, at("2026-11-21 23:50:00")));
	assert_int_equal(meter_used(&meter, &p, METER_DAY), 700);
	assert_false(meter_turn(&meter, &p, at("2026-11-22 00:10:00")));
	assert_int_equal(meter_used(&meter, &p, METER_DAY), 700);
	assert_true(meter_resumes_s(&meter, &p, LEVEL_OPEN,
			    at("2026-11-20 00:00:00")) ==
		    at("2026-12-01 00:00:00"));
	/* A clock that was years ahead has begun a later period.  Its bytes
	 * count until the present day ends. */
	meter_turn(&meter, &p, at("2037-01-01 00:00:00"));
	meter_add(&meter, 300);
	meter_turn(&meter, &p, at("2026-11-22 00:10:00"));
	assert_int_equal(meter_used(&meter, &p, METER_DAY), 300);
	assert_true(meter_turn(&meter, &p, at("2026-11-23 00:00:00")));
	assert_int_equal(meter_used(&meter, &p, METER_DAY), 0);
}

/* Boards without a battery start in 1970, until they get the time. */
static void a_clock_that_is_not_set_begins_nothing(void **state)
{
	struct meter_plan p = plan(1000, 10000);
	struct meter meter = {0};

	(void)state;
	assert_false(meter_turn(&meter, &p, at("1970-01-01 00:01:00")));
	meter_add(&meter, 200);
	assert_true(meter_turn(&meter, &p, at("2026-11-22 10:00:00")));
	assert_int_equal(meter_used(&meter, &p, METER_DAY), 200);
	assert_false(meter_turn(&meter, &p, at("1970-01-01 00:01:00")));
	meter_add(&meter, 300);
	assert_false(meter_turn(&meter, &p, at("2026-11-22 10:05:00")));
	assert_int_equal(meter_used(&meter, &p, METER_DAY), 500);
	assert_int_equal(meter_used(&meter, &p, METER_MONTH), 500);
}

static void large_numbers_do_not_overflow(void **state)
{
	struct meter_plan p = plan(INT64_MAX / 4, INT64_MAX / 4);
	struct meter meter = {0};

	(void)state;
	p.factor = 2;
	p.throttle_at = 99;
	for (int i = 0; i < 20; i++)
		meter_add(&meter, INT64_MAX / 16);
	assert_int_equal(meter_level(&meter, &p), LEVEL_EXHAUSTED);
	assert_true(meter_used(&meter, &p, METER_DAY) > 0);
	meter_add(&meter, -5);
}

/* Nothing falls when a part of it is unknown, and a new period is one for all.
 */
static void other_nodes_count_too(void **state)
{
	struct meter_plan p = plan(1000, 10000);
	struct meter meter = {0};

	(void)state;
	p.factor = 2;
	meter_turn(&meter, &p, at("2026-11-22 00:10:00"));
	meter_add(&meter, 300);
	assert_int_equal(meter_level(&meter, &p), LEVEL_OPEN);
	meter.others[METER_DAY] = meter.others[METER_MONTH] = 200;
	assert_int_equal(meter_used(&meter, &p, METER_DAY), 1000);
	assert_int_equal(meter_level(&meter, &p), LEVEL_EXHAUSTED);
	assert_true(meter_end_s(&meter, &p, METER_DAY) ==
		    at("2026-11-23 00:00:00"));
	assert_true(meter_turn(&meter, &p, at("2026-11-23 00:00:00")));
	assert_int_equal(meter_used(&meter, &p, METER_DAY), 0);
	assert_int_equal(meter_used(&meter, &p, METER_MONTH), 1000);
}

/* Of a test that is not about clusters. */
static struct self self = {.name = ""};

static char folder[] = "/tmp/test_quota.XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	tzset();
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void the_file_keeps_everything(void **state)
{
	struct meter meter = {{1000, 2000}, {INT64_MAX / 4, 4}, {0, 0}},
		     got = {0};
	struct names names = {0};
	struct relay_err err = {""};
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/state", folder);
	assert_int_equal(state_read(path, &got, &names, &self, &err), 1);
	assert_int_equal(state_write(path, &meter, &names, &self, &err), 0);
	assert_int_equal(state_read(path, &got, &names, &self, &err), 0);
	assert_memory_equal(&got, &meter, sizeof(got));
	meter.relayed[METER_DAY] = 7;
	assert_int_equal(state_write(path, &meter, &names, &self, &err), 0);
	assert_int_equal(state_read(path, &got, &names, &self, &err), 0);
	assert_memory_equal(&got, &meter, sizeof(got));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(
		state_write("/nowhere/at/all", &meter, &names, &self, &err),
		-1);
	assert_non_null(strstr(err.text, "cannot write /nowhere/at/all"));
}

static void the_file_keeps_who_counts(void **state)
{
	struct meter meter = {{1000, 2000}, {3, 4}, {INT64_MAX / 4, 6}}, got;
	struct self one = {{0, 255, 16, 1}, "node-1"}, read = {.name = ""};
	struct names names = {0}, used = {0};
	struct relay_err err = {""};
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/state", folder);
	memset(one.name, 'n', SELF_NAME - 1);
	assert_int_equal(names_add(&names, "bob", 5), 5);
	assert_int_equal(state_write(path, &meter, &names, &one, &err), 0);
	assert_int_equal(state_read(path, &got, &used, &read, &err), 0);
	assert_memory_equal(&got, &meter, sizeof(got));
	assert_memory_equal(&read, &one, sizeof(read));
	assert_int_equal(used.count, 1);
	names_free(&names);
	names_free(&used);
	assert_int_equal(unlink(path), 0);
}

static void names_are_kept_for_the_month(void **state)
{
	struct meter meter = {{1000, 2000}, {3, 4}, {0, 0}}, got;
	struct names names = {0}, read = {0};
	struct relay_err err = {""};
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/state", folder);
	names_turn(&names, 2000);
	assert_int_equal(names_add(&names, "bob", 5), 5);
	assert_int_equal(names_add(&names, "alice", 0), 0);
	assert_int_equal(names_add(&names, "bob", 6), 11);
	assert_int_equal(names_add(&names, "bob", -6), 11);
	assert_int_equal(names_add(&names, "", 1), -1);
	assert_int_equal(state_write(path, &meter, &names, &self, &err), 0);
	assert_int_equal(state_read(path, &got, &read, &self, &err), 0);
	/* Who has used nothing is not in the file. */
	assert_int_equal(read.count, 1);
	assert_string_equal(read.list[0].name, "bob");
	assert_int_equal(names_add(&read, "bob", 0), 11);
	names_turn(&read, 2000);
	assert_int_equal(read.count, 1);
	names_turn(&read, 3000);
	assert_int_equal(read.count, 0);
	names_free(&names);
	names_free(&read);
	assert_int_equal(unlink(path), 0);
}

static void fill(struct names *names, int64_t bytes)
{
	char name[16];

	for (int i = 0; i < NAMES_MOST; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(names_add(names, name, bytes), bytes);
	}
	assert_int_equal(names->count, NAMES_MOST);
}

static void who_uses_nothing_keeps_nobody_out(void **state)
{
	struct names names = {0};

	(void)state;
	fill(&names, 0);
	assert_int_equal(names_add(&names, "bob", 0), 0);
	assert_int_equal(names_add(&names, "bob", 5), 5);
	assert_int_equal(names_add(&names, "alice", 6), 6);
	assert_int_equal(names_add(&names, "bob", 1), 6);
	assert_int_equal(names.count, NAMES_MOST);
	assert_int_equal(names.replaced, 0);
	names_free(&names);
}

/* A name that gave way has not less than before when it comes back. */
static void who_uses_least_gives_way(void **state)
{
	struct names names = {0};

	(void)state;
	names_turn(&names, 1000);
	fill(&names, 2);
	assert_int_equal(names_add(&names, "n0", 98), 100);
	assert_int_equal(names_add(&names, "bob", 0), 0);
	assert_int_equal(names_add(&names, "bob", 50), 52);
	assert_int_equal(names.replaced, 1);
	assert_int_equal(names_add(&names, "alice", 0), 2);
	for (int i = 0; i < NAMES_MOST; i++) {
		char name[16];

		snprintf(name, sizeof(name), "m%d", i);
		assert_true(names_add(&names, name, 1) >= 3);
	}
	assert_int_equal(names.count, NAMES_MOST);
	assert_int_equal(names_add(&names, "n0", 0), 100);
	assert_int_equal(names_add(&names, "bob", 0), 52);
	assert_int_equal(names_add(&names, "n1", 0), names.forgotten);
	assert_true(names.forgotten >= 2);
	names_turn(&names, 2000);
	assert_int_equal(names_add(&names, "n1", 0), 0);
	assert_int_equal(names_add(&names, "n0", 1), 1);
	names_free(&names);
}

#define PERIODS "strelaysrv quota 1\nday 1 2\nmonth 1 2\n"

#define SHARED(half, rest) "shared 0123456789abcdef" half " " rest "\n"

static void what_is_no_state_is_refused(void **state)
{
	static const char *const bad[] = {"", "strelaysrv quota 2\n",
		"strelaysrv quota 1\n", "strelaysrv quota 1\nday 1 2\n",
		"strelaysrv quota 1\nmonth 1 2\nday 1 2\n",
		"strelaysrv quota 1\nday 1 -2\nmonth 1 2\n",
		"strelaysrv quota 1\nday 1 2 3\nmonth 1 2\n",
		"strelaysrv quota 1\nday 1 x\nmonth 1 2\n", PERIODS "name a 1",
		PERIODS "name a -1\n", PERIODS "name a\n",
		PERIODS "name a 1 2\n", PERIODS "name a\xff 1\n",
		PERIODS "name a 1\nname a 1\n", PERIODS "shared",
		PERIODS SHARED("0123456789abcdef", "node 1 -1"),
		PERIODS SHARED("0123456789abcdef", "node 1"),
		PERIODS SHARED("0123456789abcdef", "node 1 2 3"),
		PERIODS SHARED("0123456789abcdeF", "node 1 2"),
		PERIODS SHARED("0123456789abcde", "node 1 2")};
	struct relay_err err = {""};
	struct meter got = {{1, 2}, {3, 4}, {0, 0}};
	struct names names = {0};
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/state", folder);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_text(path, bad[i]);
		assert_int_equal(
			state_read(path, &got, &names, &self, &err), -1);
		assert_non_null(strstr(err.text, "is no quota state"));
		assert_int_equal(got.relayed[METER_DAY], 3);
	}
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_begin_at_midnight),
		cmocka_unit_test(months_begin_at_their_anchor),
		cmocka_unit_test(short_months_end_early),
		cmocka_unit_test(periods_follow_each_other),
		cmocka_unit_test(local_days_know_summer_time),
		cmocka_unit_test(zones_are_judged),
		cmocka_unit_test(the_strictest_level_counts),
		cmocka_unit_test(a_new_period_begins_at_0),
		cmocka_unit_test(a_clock_set_back_forgets_nothing),
		cmocka_unit_test(a_clock_that_is_not_set_begins_nothing),
		cmocka_unit_test(large_numbers_do_not_overflow),
		cmocka_unit_test(other_nodes_count_too),
		cmocka_unit_test(the_file_keeps_everything),
		cmocka_unit_test(the_file_keeps_who_counts),
		cmocka_unit_test(names_are_kept_for_the_month),
		cmocka_unit_test(who_uses_nothing_keeps_nobody_out),
		cmocka_unit_test(who_uses_least_gives_way),
		cmocka_unit_test(what_is_no_state_is_refused),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

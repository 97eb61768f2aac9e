/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the course of a question whose answer takes time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "peers/question_course.h"

#define FIRST  0
#define SECOND 63
#define OTHER  7

static struct course waiting(unsigned slot, enum relay_verdict otherwise)
{
	struct course course = {.otherwise = (uint8_t)otherwise};

	assert_false(course_heard(&course, slot, RELAY_WAIT));
	assert_int_equal(course.state, COURSE_WAITING);
	return course;
}

static void each_module_is_asked_once(void **state)
{
	struct course course = {.asked = 0};

	(void)state;
	assert_true(course_wants(&course, FIRST));
	assert_true(course_heard(&course, FIRST, RELAY_PASS));
	assert_false(course_wants(&course, FIRST));
	assert_true(course_wants(&course, SECOND));
	assert_true(course_heard(&course, SECOND, RELAY_PASS));
	assert_false(course_wants(&course, SECOND));
	assert_int_equal(course.state, COURSE_ASKING);
}

static void a_refusal_and_a_find_end_it(void **state)
{
	struct course denied = {.asked = 0}, found = {.asked = 0};

	(void)state;
	assert_false(course_heard(&denied, FIRST, RELAY_DENY));
	assert_int_equal(denied.state, COURSE_OVER);
	assert_false(course_heard(&found, FIRST, RELAY_TAKE));
	assert_int_equal(found.state, COURSE_OVER);
}

static void the_one_that_waits_is_heard_once(void **state)
{
	struct course course = waiting(FIRST, RELAY_DENY);

	(void)state;
	assert_int_equal(course_settled(&course, OTHER), COURSE_FOREIGN);
	assert_int_equal(course.state, COURSE_WAITING);
	assert_int_equal(course_settled(&course, FIRST), COURSE_ACCEPTED);
	assert_int_equal(course_settled(&course, FIRST), COURSE_LATE);
}

static void a_second_answer_is_told_from_a_foreign_one(void **state)
{
	struct course course = waiting(FIRST, RELAY_DENY);

	(void)state;
	assert_int_equal(course_settled(&course, FIRST), COURSE_ACCEPTED);
	assert_false(course_heard(&course, SECOND, RELAY_WAIT));
	assert_int_equal(course_settled(&course, FIRST), COURSE_SECOND);
	assert_int_equal(course_settled(&course, OTHER), COURSE_FOREIGN);
	assert_int_equal(course_settled(&course, SECOND), COURSE_ACCEPTED);
}

static void without_an_answer_its_own_word_counts(void **state)
{
	struct course open = waiting(FIRST, RELAY_PASS);
	struct course closed = waiting(FIRST, RELAY_DENY);

	(void)state;
	assert_int_equal(course_given_up(&open), RELAY_PASS);
	assert_int_equal(open.state, COURSE_ASKING);
	assert_int_equal(course_settled(&open, FIRST), COURSE_LATE);
	assert_int_equal(course_given_up(&closed), RELAY_DENY);
}

static void a_module_that_has_left_is_not_heard(void **state)
{
	struct course course = waiting(FIRST, RELAY_PASS);

	(void)state;
	assert_false(course_left(&course, OTHER));
	assert_int_equal(course.state, COURSE_WAITING);
	assert_true(course_left(&course, FIRST));
	assert_int_equal(course_settled(&course, FIRST), COURSE_LATE);
	assert_int_equal(course_given_up(&course), RELAY_PASS);
	assert_false(course.left);
}

static void who_takes_over_its_slot_is_asked(void **state)
{
	struct course course = {.asked = 0};

	(void)state;
	assert_true(course_heard(&course, FIRST, RELAY_PASS));
	assert_false(course_heard(&course, SECOND, RELAY_WAIT));
	assert_false(course_left(&course, FIRST));
	assert_true(course_wants(&course, FIRST));
	assert_int_equal(course_settled(&course, SECOND), COURSE_ACCEPTED);
}

static void when_it_is_over_nobody_is_heard(void **state)
{
	struct course course = waiting(FIRST, RELAY_PASS);

	(void)state;
	course_end(&course);
	assert_int_equal(course.state, COURSE_OVER);
	assert_int_equal(course_settled(&course, FIRST), COURSE_LATE);
	assert_false(course_left(&course, FIRST));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_module_is_asked_once),
		cmocka_unit_test(a_refusal_and_a_find_end_it),
		cmocka_unit_test(the_one_that_waits_is_heard_once),
		cmocka_unit_test(a_second_answer_is_told_from_a_foreign_one),
		cmocka_unit_test(without_an_answer_its_own_word_counts),
		cmocka_unit_test(a_module_that_has_left_is_not_heard),
		cmocka_unit_test(who_takes_over_its_slot_is_asked),
		cmocka_unit_test(when_it_is_over_nobody_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

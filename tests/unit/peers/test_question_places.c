/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of how many questions may wait. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include <strelaysrv/device_id.h>

#include "peers/question_places.h"

static struct question_places places;

static const uint8_t *address(const char *text)
{
	static struct in6_addr parsed;

	assert_int_equal(inet_pton(AF_INET6, text, &parsed), 1);
	return parsed.s6_addr;
}

static const uint8_t *device(unsigned number)
{
	static uint8_t id[RELAY_DEVICE_ID_LEN];

	memcpy(id, &number, sizeof(number));
	return id;
}

/* How many of `most` places one gets; each for another device. */
static unsigned taken(const char *from, unsigned most, unsigned first)
{
	for (unsigned i = 0; i < most; i++)
		if (question_place_take(&places, address(from),
			    device(first + i)) != QUESTION_PLACED)
			return i;
	return most;
}

static void give(const char *from, unsigned count, unsigned first)
{
	for (unsigned i = 0; i < count; i++)
		question_place_give(&places, address(from), device(first + i));
}

static int begin(void **state)
{
	(void)state;
	memset(&places, 0, sizeof(places));
	places.seed = 11;
	return 0;
}

/* Nobody holds anything any more. */
static int is_empty(void **state)
{
	(void)state;
	assert_int_equal(places.all, 0);
	for (unsigned i = 0; i < QUESTION_DEVICE_SLOTS; i++)
		assert_int_equal(places.devices[i], 0);
	for (unsigned i = 0; i < QUESTION_SOURCE_SLOTS; i++)
		assert_int_equal(places.sources[i], 0);
	return 0;
}

static void a_source_has_its_part(void **state)
{
	const char *from = "::ffff:192.0.2.1", *other = "::ffff:192.0.2.2";

	(void)state;
	assert_int_equal(
		taken(from, QUESTIONS_PER_SOURCE + 1, 0), QUESTIONS_PER_SOURCE);
	assert_int_equal(question_place_take(&places, address(from), NULL),
		QUESTION_SOURCE_FULL);
	assert_int_equal(taken(other, 1, 5000), 1);
	give(other, 1, 5000);
	give(from, QUESTIONS_PER_SOURCE, 0);
}

static void a_network_has_more(void **state)
{
	(void)state;
	assert_int_equal(taken("2001:db8::1", QUESTIONS_PER_SOURCE, 0),
		QUESTIONS_PER_SOURCE);
	assert_int_equal(taken("2001:db8::2", 1, 5000), 0);
	/* The same /56. */
	assert_int_equal(taken("2001:db8:0:1::1", QUESTIONS_PER_SOURCE, 1000),
		QUESTIONS_PER_SOURCE);
	assert_int_equal(taken("2001:db8:0:2::1", 1, 5000), 0);
	/* The same /48. */
	assert_int_equal(taken("2001:db8:0:100::1", QUESTIONS_PER_SOURCE, 2000),
		QUESTIONS_PER_SOURCE);
	give("2001:db8::1", QUESTIONS_PER_SOURCE, 0);
	give("2001:db8:0:1::1", QUESTIONS_PER_SOURCE, 1000);
	give("2001:db8:0:100::1", QUESTIONS_PER_SOURCE, 2000);
}

static void a_device_has_its_part_from_anywhere(void **state)
{
	unsigned count = 0;

	(void)state;
	while (question_place_take(&places, address("::1"), device(1)) ==
		QUESTION_PLACED)
		count++;
	assert_int_equal(count, QUESTIONS_PER_DEVICE);
	assert_int_equal(question_place_take(&places,
				 address("::ffff:192.0.2.1"), device(1)),
		QUESTION_DEVICE_FULL);
	assert_int_equal(question_place_take(&places, address("::1"), NULL),
		QUESTION_PLACED);
	question_place_give(&places, address("::1"), NULL);
	while (count-- > 0)
		question_place_give(&places, address("::1"), device(1));
}

static void all_together_have_an_end(void **state)
{
	(void)state;
	/* A proxy on this machine connects for everybody. */
	assert_int_equal(taken("::1", QUESTIONS_MOST + 1, 0), QUESTIONS_MOST);
	assert_int_equal(question_place_take(&places, address("::1"), NULL),
		QUESTION_ALL_FULL);
	give("::1", QUESTIONS_MOST, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, is_empty)
	const struct CMUnitTest tests[] = {
		TEST(a_source_has_its_part),
		TEST(a_network_has_more),
		TEST(a_device_has_its_part_from_anywhere),
		TEST(all_together_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

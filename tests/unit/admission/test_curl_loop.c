/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of transfers on an event loop, with a libcurl that has no memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/event.h>

#include "shared/curl_loop.h"

#define MOST 3

/* A transfer is its own handle. */
struct transfer {
	struct curl_loop_job job;
	bool added;
	unsigned told;
	CURLcode code;
	struct transfer *ends; /* what its owner ends when it is told */
};

static struct test {
	struct curl_loop loop;
	struct event_base *base;
	struct transfer transfers[MOST];
	unsigned multis, cleaned, added; /* handles that libcurl has now */
	bool no_multi;
	CURLMcode action;
	curl_multi_timer_callback timer;
} test;

static CURLM *multi_init(void)
{
	if (test.no_multi)
		return NULL;
	test.multis++;
	return &test;
}

static CURLMcode multi_cleanup(CURLM *multi)
{
	assert_ptr_equal(multi, &test);
	assert_int_equal(test.added, 0);
	test.cleaned++;
	return CURLM_OK;
}

static CURLMcode multi_setopt(CURLM *multi, CURLMoption option, ...)
{
	va_list ap;

	(void)multi;
	va_start(ap, option);
	if (option == CURLMOPT_TIMERFUNCTION)
		test.timer = va_arg(ap, curl_multi_timer_callback);
	va_end(ap);
	return CURLM_OK;
}

static CURLMcode multi_add_handle(CURLM *multi, CURL *easy)
{
	struct transfer *transfer = easy;

	assert_false(transfer->added);
	transfer->added = true;
	test.added++;
	(void)test.timer(multi, 0, &test.loop);
	return CURLM_OK;
}

static CURLMcode multi_remove_handle(CURLM *multi, CURL *easy)
{
	struct transfer *transfer = easy;

	(void)multi;
	assert_true(transfer->added);
	transfer->added = false;
	test.added--;
	return CURLM_OK;
}

static CURLMcode multi_socket_action(
	CURLM *multi, curl_socket_t fd, int flags, int *running)
{
	(void)multi;
	(void)fd;
	(void)flags;
	*running = (int)test.added;
	return test.action;
}

static CURLMsg *multi_info_read(CURLM *multi, int *left)
{
	(void)multi;
	*left = 0;
	return NULL;
}

static CURLcode easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	va_list ap;

	va_start(ap, info);
	*va_arg(ap, void **) = easy;
	va_end(ap);
	return CURLE_OK;
}

static const struct libcurl fake = {.multi_init = multi_init,
	.multi_cleanup = multi_cleanup,
	.multi_setopt = multi_setopt,
	.multi_add_handle = multi_add_handle,
	.multi_remove_handle = multi_remove_handle,
	.multi_socket_action = multi_socket_action,
	.multi_info_read = multi_info_read,
	.easy_getinfo = easy_getinfo};

static void done(void *arg, void *ended, CURLcode code)
{
	struct transfer *transfer = ended;

	assert_ptr_equal(arg, &test);
	transfer->told++;
	transfer->code = code;
	curl_loop_end(&test.loop, &transfer->job);
	if (transfer->ends)
		curl_loop_end(&test.loop, &transfer->ends->job);
}

static int begin(unsigned i)
{
	return curl_loop_begin(
		&test.loop, &test.transfers[i].job, &test.transfers[i]);
}

static int set_up(void **state)
{
	(void)state;
	test = (struct test){.action = CURLM_OK};
	test.base = event_base_new();
	assert_non_null(test.base);
	assert_false(curl_loop_is_open(&test.loop));
	assert_int_equal(
		curl_loop_open(&test.loop, test.base, &fake, done, &test), 0);
	assert_true(curl_loop_is_open(&test.loop));
	for (unsigned i = 0; i < MOST; i++)
		assert_int_equal(begin(i), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MOST; i++)
		curl_loop_end(&test.loop, &test.transfers[i].job);
	curl_loop_close(&test.loop);
	assert_false(curl_loop_is_open(&test.loop));
	assert_int_equal(test.multis, test.cleaned);
	event_base_free(test.base);
	return 0;
}

/* The timer that libcurl asked for is due. */
static void run(CURLMcode action)
{
	test.action = action;
	assert_int_equal(event_base_loop(test.base, EVLOOP_ONCE), 0);
}

static void after_an_error_all_are_told_once(void **state)
{
	(void)state;
	run(CURLM_OUT_OF_MEMORY);
	for (unsigned i = 0; i < MOST; i++) {
		assert_int_equal(test.transfers[i].told, 1);
		assert_int_equal(test.transfers[i].code, CURLE_OUT_OF_MEMORY);
	}
	assert_int_equal(test.multis, 2);
	assert_int_equal(test.cleaned, 1);
	assert_int_equal(begin(1), 0);
	run(CURLM_OK);
	assert_int_equal(test.transfers[1].told, 1);
	assert_true(test.transfers[1].added);
}

static void who_is_ended_meanwhile_is_not_told(void **state)
{
	(void)state;
	test.transfers[0].ends = &test.transfers[2];
	run(CURLM_INTERNAL_ERROR);
	assert_int_equal(test.transfers[0].told, 1);
	assert_int_equal(test.transfers[1].told, 1);
	assert_int_equal(test.transfers[2].told, 0);
}

static void without_a_new_multi_none_begins_until_there_is_one(void **state)
{
	(void)state;
	test.no_multi = true;
	run(CURLM_OUT_OF_MEMORY);
	assert_int_equal(test.transfers[2].told, 1);
	assert_int_equal(begin(0), -1);
	test.no_multi = false;
	assert_int_equal(begin(0), 0);
	assert_true(test.transfers[0].added);
}

static void whatever_libcurl_asks_for_the_timer_is_pending(void **state)
{
	(void)state;
	assert_int_equal(test.timer(test.loop.multi, -1, &test.loop), 0);
	assert_true(event_pending(test.loop.timer.event, EV_TIMEOUT, NULL));
	assert_int_equal(test.timer(test.loop.multi, 0, &test.loop), 0);
	run(CURLM_OK);
	assert_true(event_pending(test.loop.timer.event, EV_TIMEOUT, NULL));
}

static void headers_have_an_end(void **state)
{
	struct curl_loop_job *job = &test.transfers[0].job;
	char bytes[] = "X: y";

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(curl_loop_header(bytes, 1,
					 CURL_LOOP_HEADERS_MOST - 2, job),
			CURL_LOOP_HEADERS_MOST - 2);
		assert_int_equal(curl_loop_header(bytes, 2, 1, job), 2);
		assert_false(job->headers_too_long);
		assert_int_equal(curl_loop_header(bytes, 1, 1, job), 0);
		assert_true(job->headers_too_long);
		/* Those of the next transfer are counted anew. */
		curl_loop_end(&test.loop, job);
		assert_int_equal(begin(0), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(after_an_error_all_are_told_once),
		TEST(who_is_ended_meanwhile_is_not_told),
		TEST(without_a_new_multi_none_begins_until_there_is_one),
		TEST(whatever_libcurl_asks_for_the_timer_is_pending),
		TEST(headers_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

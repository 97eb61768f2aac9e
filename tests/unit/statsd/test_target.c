/* SPDX-License-Identifier: MPL-2.0 */

/* The address of a StatsD server: what cannot be used is told, and an address
 * that is still right is kept. */

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "shared/lookup.h"
#include "statsd/target.h"

#define AGAIN_MS 300000

static struct {
	int64_t now_ms;
	unsigned begun;
	int error; /* of the lookup */
	struct addrinfo list[2];
	struct sockaddr_storage address[2];
	char logged[256];
} net;

/* The test resolves names itself. */
struct lookup *lookup_begin(const char *host, const char *service, int type)
{
	assert_string_equal(host, "stats.example");
	assert_string_equal(service, "8125");
	assert_int_equal(type, SOCK_DGRAM);
	net.begun++;
	return (struct lookup *)&net;
}

int lookup_result(struct lookup *lookup, const struct addrinfo **list)
{
	assert_ptr_equal(lookup, &net);
	*list = net.list;
	return net.error;
}

void lookup_end(struct lookup *lookup)
{
	(void)lookup;
}

int64_t relay_now_ms(const struct relay_ctx *cx)
{
	(void)cx;
	return net.now_ms;
}

void relay_log(const struct relay_ctx *cx, enum relay_level level,
	const char *fmt, ...)
{
	va_list ap;

	(void)cx;
	(void)level;
	va_start(ap, fmt);
	(void)vsnprintf(net.logged, sizeof(net.logged), fmt, ap);
	va_end(ap);
}

static void is_at(size_t i, const char *host)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&net.address[i];

	v4->sin_family = AF_INET;
	v4->sin_port = htons(8125);
	assert_int_equal(inet_pton(AF_INET, host, &v4->sin_addr), 1);
	net.list[i] = (struct addrinfo){.ai_family = AF_INET,
		.ai_addr = (struct sockaddr *)v4,
		.ai_addrlen = sizeof(*v4),
		.ai_next = i == 0 && net.list[1].ai_addr ? &net.list[1] : NULL};
}

static int setup(void **state)
{
	(void)state;
	memset(&net, 0, sizeof(net));
	net.now_ms = 1;
	return 0;
}

/* Without descriptors there is no socket. */
static void limit_descriptors(bool none)
{
	static struct rlimit usual;
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (none)
		usual = limit;
	limit.rlim_cur = none ? 0 : usual.rlim_cur;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void an_address_is_used_at_once(void **state)
{
	struct target target;
	struct relay_err err;

	(void)state;
	assert_int_equal(target_begin(&target, "127.0.0.1", "8125", &err), 0);
	assert_true(target.fd >= 0);
	assert_false(target_refresh(NULL, &target, AGAIN_MS));
	assert_int_equal(net.begun, 0);
	target_finish(&target);
}

static void what_cannot_be_used_is_told(void **state)
{
	struct target target;
	struct relay_err err;
	int error;

	(void)state;
	error = target_begin(&target, "127.0.0.1", "no-such-service", &err);
	assert_int_equal(error, -1);
	assert_non_null(strstr(err.text, "127.0.0.1, no-such-service: "));
	/* Only sockets that ask for it may send to all. */
	error = target_begin(&target, "255.255.255.255", "8125", &err);
	assert_int_equal(error, -1);
	assert_non_null(strstr(err.text, "cannot send to 255.255.255.255"));
	limit_descriptors(true);
	error = target_begin(&target, "127.0.0.1", "8125", &err);
	limit_descriptors(false);
	assert_int_equal(error, -1);
	assert_non_null(strstr(err.text, strerror(EMFILE)));
}

static void an_address_that_is_still_listed_is_kept(void **state)
{
	struct target target;
	struct relay_err err;
	int fd;

	(void)state;
	assert_int_equal(
		target_begin(&target, "stats.example", "8125", &err), 0);
	is_at(0, "127.0.0.1");
	assert_false(target_refresh(NULL, &target, AGAIN_MS));
	fd = target.fd;
	assert_true(fd >= 0);
	assert_false(target_refresh(NULL, &target, AGAIN_MS)); /* not due */
	assert_int_equal(net.begun, 1);
	is_at(1, "127.0.0.1");
	is_at(0, "127.0.0.2");
	net.now_ms += AGAIN_MS;
	assert_false(target_refresh(NULL, &target, AGAIN_MS));
	assert_int_equal(target.fd, fd);
	assert_string_equal(net.logged, "");
	net.list[0].ai_next = NULL;
	net.now_ms += AGAIN_MS;
	assert_false(target_refresh(NULL, &target, AGAIN_MS));
	assert_string_equal(
		net.logged, "stats.example has another address now");
	target_finish(&target);
}

static void a_failure_is_told_and_tried_again_soon(void **state)
{
	struct target target;
	struct relay_err err;

	(void)state;
	assert_int_equal(
		target_begin(&target, "stats.example", "8125", &err), 0);
	net.error = EAI_INPROGRESS;
	assert_true(target_refresh(NULL, &target, AGAIN_MS));
	net.error = EAI_FAIL;
	assert_false(target_refresh(NULL, &target, AGAIN_MS));
	assert_non_null(strstr(net.logged, gai_strerror(EAI_FAIL)));
	net.error = 0;
	net.now_ms += 30000;
	is_at(0, "255.255.255.255");
	assert_false(target_refresh(NULL, &target, AGAIN_MS));
	assert_non_null(strstr(net.logged, strerror(EACCES)));
	net.now_ms += 30000;
	is_at(0, "127.0.0.1");
	net.list[0].ai_addrlen = sizeof(struct sockaddr_storage) + 1;
	assert_false(target_refresh(NULL, &target, AGAIN_MS));
	assert_non_null(strstr(net.logged, strerror(EAFNOSUPPORT)));
	net.now_ms += 30000;
	is_at(0, "127.0.0.1");
	assert_false(target_refresh(NULL, &target, AGAIN_MS));
	assert_true(target.fd >= 0);
	net.error = EAI_AGAIN;
	net.now_ms += AGAIN_MS;
	assert_false(target_refresh(NULL, &target, AGAIN_MS));
	assert_non_null(strstr(net.logged, "sends to the address that it had"));
	target_finish(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup(f, setup)
		T(an_address_is_used_at_once),
		T(what_cannot_be_used_is_told),
		T(an_address_that_is_still_listed_is_kept),
		T(a_failure_is_told_and_tried_again_soon),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

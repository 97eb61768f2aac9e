/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Two servers in one process: each has its own limits, count of connections,
 * kernel memory and inherited sockets.
 */

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <strelaysrv/metric.h>
#include <strelaysrv/server.h>

#include "base/instance.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "net/capacity.h"
#include "net/inherited.h"
#include "net/kernel_memory.h"
#include "net/net_metrics.h"
#include "net/net_state.h"

static struct instance servers[2];
static struct instance *const one = &servers[0], *const two = &servers[1];

static int make_both(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		instance = &servers[i];
		if (log_create() != 0 || metrics_create() != 0 ||
			net_create() != 0 || metrics_init(1) != 0 ||
			net_metrics_init() != 0)
			return -1;
	}
	return 0;
}

static int end_both(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		instance = &servers[i];
		inherited_finish();
		net_destroy();
		metrics_destroy();
		log_destroy();
		assert_memory_equal(
			instance, &(struct instance){NULL}, sizeof(*instance));
	}
	instance = &instance_first;
	return 0;
}

static void each_has_its_bound_on_connections(void **state)
{
	(void)state;
	instance = one;
	capacity_init(1, 0, NULL);
	instance = two;
	capacity_init(2, 0, NULL);
	for (size_t i = 0; i < 2; i++) {
		instance = &servers[i];
		capacity_settle();
	}
	instance = one;
	assert_int_equal(capacity_limit(), 1);
	assert_true(relay_at_limit());
	instance = two;
	assert_int_equal(capacity_limit(), 2);
	assert_false(relay_at_limit());
}

static void each_has_its_kernel_memory(void **state)
{
	(void)state;
	instance = two;
	kernel_memory_bound(100, NULL);
	instance = one;
	kernel_memory_bound(100, NULL);
	kernel_memory_change(101);
	assert_true(kernel_memory_short());
	instance = two;
	assert_false(kernel_memory_short());
	assert_int_equal(kernel_memory_short_ms(5), -1);
}

static int64_t memory_errors(void)
{
	return metrics_value(NULL, "core", "accept_errors", "memory");
}

static void each_counts_for_itself(void **state)
{
	(void)state;
	instance = two;
	net_count(metrics_shard(0), NET_ACCEPT_ERRORS, NET_ACCEPT_MEMORY, 3);
	assert_int_equal(memory_errors(), 3);
	instance = one;
	assert_int_equal(memory_errors(), 0);
}

static void each_has_the_sockets_that_it_was_given(void **state)
{
	const struct sockaddr_in any = {
		.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct relay_err err = {""};
	char text[32];

	(void)state;
	assert_int_equal(
		bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(fd, 1), 0);
	(void)snprintf(text, sizeof(text), "relay:%d", fd);
	assert_int_equal(setenv(INHERITED_SOCKETS, text, 1), 0);
	instance = two;
	assert_int_equal(inherited_init(&err), 0);
	instance = one;
	assert_int_equal(inherited_init(&err), 0);
	assert_int_equal(inherited_take_any(INHERITED_RELAY), -1);
	inherited_finish();
	instance = two;
	assert_int_equal(inherited_take_any(INHERITED_RELAY), fd);
	assert_int_equal(close(fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, make_both, end_both)
		T(each_has_its_bound_on_connections),
		T(each_has_its_kernel_memory),
		T(each_counts_for_itself),
		T(each_has_the_sockets_that_it_was_given),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

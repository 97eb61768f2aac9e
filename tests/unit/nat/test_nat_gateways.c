/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of which host is a gateway, with a kernel that knows no neighbour. */

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "gateways.h"
#include "host.h"
#include "netlink.h"

static unsigned slept, known;

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	(void)fds;
	(void)n;
	(void)timeout_ms;
	slept++;
	return 0;
}

/* Knows the first `known` neighbours; the gateway has an even last byte. */
int netlink_link_of(const struct host *host, uint8_t out[NETLINK_LINK])
{
	uint8_t last = host->address.s6_addr[15];

	memset(out, last % 2, NETLINK_LINK);
	return last < known ? 0 : -1;
}

int netlink_default_routes(int family,
	void (*each)(const struct netlink_route *route, void *arg), void *arg)
{
	(void)family;
	(void)each;
	(void)arg;
	return -1;
}

static struct host host_number(unsigned number)
{
	struct host host;

	assert_int_equal(host_read("::1", 0, &host), 0);
	host.address.s6_addr[14] = (uint8_t)(number >> 8);
	host.address.s6_addr[15] = (uint8_t)number;
	return host;
}

static void strangers_hold_up_one_wait_in_all(void **state)
{
	struct hosts gateways = {.count = 2};
	unsigned waits = GATEWAY_WAITS;

	(void)state;
	gateways.list[0] = host_number(1000);
	gateways.list[1] = host_number(1002);
	slept = known = 0;
	for (unsigned i = 1; i < 200; i++) {
		struct host stranger = host_number(i);

		assert_false(gateways_include(&gateways, &stranger, &waits));
	}
	assert_int_equal(slept, GATEWAY_WAITS);
	assert_int_equal(waits, 0);
}

static void who_is_known_is_judged_without_a_wait(void **state)
{
	struct hosts gateways = {.count = 1};
	struct host same = host_number(4), other = host_number(5);
	unsigned waits = 0;

	(void)state;
	gateways.list[0] = host_number(2);
	slept = 0;
	known = 255;
	assert_true(gateways_include(&gateways, &same, &waits));
	assert_false(gateways_include(&gateways, &other, &waits));
	assert_int_equal(slept, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_hold_up_one_wait_in_all),
		cmocka_unit_test(who_is_known_is_judged_without_a_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

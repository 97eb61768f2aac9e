/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the sums of kernel memory by source and by size. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "net_fixture.h"
#include "net/kernel_memory.h"
#include "net/memory_by_source.h"
#include "net/stalled_sizes.h"

#define LIMIT 1600000
#define SHARE (LIMIT / MEMORY_SOURCE_PART)

static struct in6_addr address(const char *text)
{
	struct in6_addr out;

	assert_int_equal(inet_pton(AF_INET6, text, &out), 1);
	return out;
}

static void add(const char *text, int64_t by)
{
	memory_source_change(address(text).s6_addr, by);
}

static bool above(const char *text)
{
	return memory_source_above(address(text).s6_addr);
}

static void each_v4_address_has_a_share(void **state)
{
	(void)state;
	kernel_memory_bound(LIMIT, NULL);
	add("::ffff:192.0.2.1", SHARE);
	assert_false(above("::ffff:192.0.2.1"));
	add("::ffff:192.0.2.1", 1);
	assert_true(above("::ffff:192.0.2.1"));
	assert_false(above("::ffff:192.0.2.2"));
	add("::ffff:192.0.2.1", -SHARE - 1);
	assert_false(above("::ffff:192.0.2.1"));
}

/* A home network has one /56, a site one /48. */
static void networks_of_one_customer_have_shares_together(void **state)
{
	(void)state;
	kernel_memory_bound(LIMIT, NULL);
	add("2001:db8:0:1::1", SHARE);
	add("2001:db8:0:2::1", SHARE);
	assert_false(above("2001:db8:0:1::2"));
	add("2001:db8:0:3::1", SHARE);
	assert_true(above("2001:db8:0:4::1"));
	assert_false(above("2001:db8:0:100::1"));
	add("2001:db8:0:100::1", SHARE);
	add("2001:db8:0:200::1", SHARE);
	assert_true(above("2001:db8:0:300::1"));
	assert_false(above("2001:db8:1:300::1"));
}

/* A proxy on this machine connects for everybody. */
static void this_machine_is_no_source(void **state)
{
	static const char *const here[] = {"::ffff:127.0.0.1", "::1"};
	const uint8_t *bits;

	(void)state;
	kernel_memory_bound(LIMIT, NULL);
	for (int i = 0; i < 2; i++) {
		add(here[i], LIMIT);
		assert_false(above(here[i]));
		assert_int_equal(
			memory_source_levels(address(here[i]).s6_addr, &bits),
			0);
	}
	add("::ffff:127.0.0.2", SHARE + 1);
	assert_true(above("::ffff:127.0.0.2"));
	add("::ffff:127.0.0.2", -SHARE - 1);
}

static void the_largest_are_found_by_size(void **state)
{
	(void)state;
	assert_int_equal(stalled_sizes_from(1), 0);
	for (int i = 0; i < 10; i++)
		stalled_sizes_change(0, 100000);
	stalled_sizes_change(0, 5000000);
	assert_in_range(stalled_sizes_from(1), 4000000, 5000000);
	assert_in_range(stalled_sizes_from(5000000), 4000000, 5000000);
	assert_in_range(stalled_sizes_from(5000001), 80000, 100000);
	assert_int_equal(stalled_sizes_from(6000001), 0);
	stalled_sizes_change(5000000, 3);
	assert_in_range(stalled_sizes_from(1), 80000, 100000);
	assert_in_range(stalled_sizes_from(1000003), 1, 3);
	stalled_sizes_change(0, 3000000000);
	assert_in_range(stalled_sizes_from(1), 2147483648, 3000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_v4_address_has_a_share),
		cmocka_unit_test(networks_of_one_customer_have_shares_together),
		cmocka_unit_test(this_machine_is_no_source),
		cmocka_unit_test(the_largest_are_found_by_size),
	};

	return cmocka_run_group_tests(tests, net_set_up, net_tear_down);
}

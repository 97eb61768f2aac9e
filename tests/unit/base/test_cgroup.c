/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of reading the limits of control groups, in folders made for them. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/cgroup.h"

#define V1_CPU                                                                 \
	"31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"           \
	"32 31 0:29 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup "         \
	"rw,cpu,cpuacct\n"
#define V2 "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"

static char root[64];

/* Writes root/path, with the folders that it needs. */
static void put(const char *path, const char *text)
{
	char name[300];
	FILE *file;

	(void)snprintf(name, sizeof(name), "%s/%s", root, path);
	for (char *at = strchr(name + strlen(root) + 1, '/'); at;
		at = strchr(at + 1, '/')) {
		*at = '\0';
		assert_true(mkdir(name, 0700) == 0 || errno == EEXIST);
		*at = '/';
	}
	file = fopen(name, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static struct cgroup_limits read_all(void)
{
	struct cgroup_limits limits;

	cgroup_limits(root, &limits);
	return limits;
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/cgroup-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void version_2(void **state)
{
	struct cgroup_limits limits;

	(void)state;
	put("proc/self/mountinfo", V2);
	put("proc/self/cgroup", "0::/a.slice/b.service\n");
	put("sys/fs/cgroup/a.slice/b.service/cpu.max", "150000 100000\n");
	put("sys/fs/cgroup/a.slice/b.service/memory.max", "268435456\n");
	limits = read_all();
	assert_int_equal(limits.cpus.most, 1500);
	assert_string_equal(
		limits.cpus.file, "/sys/fs/cgroup/a.slice/b.service/cpu.max");
	assert_int_equal(limits.memory.most, 268435456);
}

static void the_lowest_of_all_groups_counts(void **state)
{
	struct cgroup_limits limits;

	(void)state;
	put("proc/self/mountinfo", V2);
	put("proc/self/cgroup", "0::/pod/relay\n");
	put("sys/fs/cgroup/pod/relay/cpu.max", "max 100000\n");
	put("sys/fs/cgroup/pod/cpu.max", "25000 50000\n");
	put("sys/fs/cgroup/pod/relay/memory.max", "max\n");
	put("sys/fs/cgroup/pod/relay/memory.high", "5000\n");
	put("sys/fs/cgroup/pod/memory.max", "7000\n");
	limits = read_all();
	assert_int_equal(limits.cpus.most, 500);
	assert_string_equal(limits.cpus.file, "/sys/fs/cgroup/pod/cpu.max");
	assert_int_equal(limits.memory.most, 5000);
	assert_string_equal(
		limits.memory.file, "/sys/fs/cgroup/pod/relay/memory.high");
}

static void version_1(void **state)
{
	struct cgroup_limits limits;

	(void)state;
	put("proc/self/mountinfo",
		V1_CPU "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup "
		       "rw,memory\n");
	put("proc/self/cgroup",
		"9:name=systemd:/x\n4:memory:/m\n2:cpu,cpuacct:/c\n0::/\n");
	put("sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "250000\n");
	put("sys/fs/cgroup/cpu/c/cpu.cfs_period_us", "100000\n");
	put("sys/fs/cgroup/memory/m/memory.limit_in_bytes",
		"9223372036854771712\n");
	limits = read_all();
	assert_int_equal(limits.cpus.most, 2500);
	assert_int_equal(limits.memory.most, 0);
	put("sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "-1\n");
	put("sys/fs/cgroup/memory/memory.limit_in_bytes", "1048576\n");
	limits = read_all();
	assert_int_equal(limits.cpus.most, 0);
	assert_int_equal(limits.memory.most, 1048576);
}

/* A container without a namespace sees the path from the machine's top, and
 * only its own group is mounted. */
static void a_part_of_the_tree_is_mounted(void **state)
{
	(void)state;
	put("proc/self/mountinfo",
		"32 31 0:29 /docker/ab /sys/fs/cgroup/cpu ro - cgroup cgroup "
		"rw,cpu\n");
	put("proc/self/cgroup", "4:cpu:/docker/ab\n");
	put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n");
	put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	assert_int_equal(read_all().cpus.most, 3000);
	put("proc/self/cgroup", "4:cpu:/docker/abc/inner\n");
	assert_int_equal(read_all().cpus.most, 3000);
	put("proc/self/cgroup", "4:cpu:/docker/ab/inner\n");
	put("sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "100000\n");
	put("sys/fs/cgroup/cpu/inner/cpu.cfs_period_us", "100000\n");
	assert_int_equal(read_all().cpus.most, 1000);
}

static void what_cannot_be_read_limits_nothing(void **state)
{
	static const char *const groups[] = {"", "\n", "0",
		"0:", "0::", ":::", "0::/x\n", "0:cpu:/x\n", "\xff\xff:\n"};
	static const char *const values[] = {"", "max", "max max", "0 0",
		"-5 100000", "1", "x y", "99999999999999999999 1",
		"9223372036854775807 1", "100000 0"};

	(void)state;
	assert_int_equal(read_all().cpus.most, 0);
	put("proc/self/mountinfo", "\n - \n1 2 3 - cgroup2\nx\n" V2);
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]);
			v++) {
			put("proc/self/cgroup", groups[g]);
			put("sys/fs/cgroup/cpu.max", values[v]);
			put("sys/fs/cgroup/x/cpu.max", values[v]);
			assert_int_equal(read_all().cpus.most, 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(version_2, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_lowest_of_all_groups_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(version_1, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_part_of_the_tree_is_mounted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_read_limits_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

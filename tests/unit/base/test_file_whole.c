/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of how long a file is waited for whose writer cannot be detected. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <strelaysrv/file.h>

#define FILES 8
#define HOUR  3600

static char dir[] = "/tmp/file-whole-XXXXXX";
/* How far the wall clock is off; the other clock; what was waited for. */
static int64_t wall_s, mono_ms, waited_ms;
static const char *written_meanwhile;

int __real_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	if (id == CLOCK_MONOTONIC) {
		*now = (struct timespec){.tv_sec = mono_ms / 1000,
			.tv_nsec = mono_ms % 1000 * 1000000};
		return 0;
	}
	(void)__real_clock_gettime(id, now);
	now->tv_sec += wall_s;
	return 0;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	int64_t ms = time->tv_sec * 1000 + time->tv_nsec / 1000000;

	*left = (struct timespec){0};
	waited_ms += ms;
	mono_ms += ms;
	if (written_meanwhile)
		put(written_meanwhile, "longer than it was");
	return 0;
}

/* As for a file of another user. */
int __wrap_fcntl(int fd, int command, ...)
{
	(void)fd;
	errno = command == F_SETLEASE ? EACCES : 0;
	return command == F_SETLEASE ? -1 : 0;
}

/* The C library's name for fcntl() where files may be large on 32 bits. */
int __wrap_fcntl64(int fd, int command, ...)
{
	return __wrap_fcntl(fd, command);
}

static void name(int number, char path[64])
{
	(void)snprintf(path, 64, "%s/%d", dir, number);
}

static int set_up(void **state)
{
	char path[64];

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/file-whole-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	for (int i = 0; i < FILES; i++) {
		name(i, path);
		put(path, "text");
	}
	wall_s = waited_ms = 0;
	mono_ms += 60000;
	written_meanwhile = NULL;
	return 0;
}

static int tear_down(void **state)
{
	char path[64];

	(void)state;
	for (int i = 0; i < FILES; i++) {
		name(i, path);
		(void)unlink(path);
	}
	return rmdir(dir);
}

static int read_one(int number)
{
	struct relay_file file;
	struct relay_err err;
	char path[64];
	int result;

	name(number, path);
	result = relay_file_read_whole(path, 100, &file, NULL, &err);
	relay_file_free(&file);
	return result;
}

static void look_at_all(void)
{
	char path[64];

	for (int i = 0; i < FILES; i++) {
		name(i, path);
		relay_file_look(path);
	}
}

static void read_all(void)
{
	for (int i = 0; i < FILES; i++)
		assert_int_equal(read_one(i), 0);
}

static void a_time_of_writing_that_was_set_by_hand_is_not_waited_for(
	void **state)
{
	struct timespec times[2] = {{0}, {0}};
	char path[64];

	(void)state;
	(void)__real_clock_gettime(CLOCK_REALTIME, &times[1]);
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_sec += 2L * HOUR;
	name(0, path);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	wall_s = HOUR;
	assert_int_equal(read_one(0), 0);
	assert_int_equal(waited_ms, 0);
}

static void files_of_another_clock_are_waited_for_together(void **state)
{
	(void)state;
	wall_s = -HOUR;
	look_at_all();
	read_all();
	assert_int_equal(waited_ms, 1000);
	/* What has been seen so before is not waited for at all. */
	read_all();
	assert_int_equal(waited_ms, 1000);
}

static void one_that_has_changed_since_the_look_is_waited_for(void **state)
{
	char path[64];

	(void)state;
	wall_s = -HOUR;
	look_at_all();
	read_all();
	name(3, path);
	put(path, "another text");
	read_all();
	assert_int_equal(waited_ms, 2000);
}

static void one_that_changes_while_it_is_waited_for_is_refused(void **state)
{
	char path[64];

	(void)state;
	wall_s = -HOUR;
	name(0, path);
	written_meanwhile = path;
	assert_int_equal(read_one(0), -1);
	written_meanwhile = NULL;
	assert_int_equal(read_one(0), 0);
}

static void new_files_wait_for_a_second_in_all(void **state)
{
	(void)state;
	assert_int_equal(read_one(0), 0);
	assert_in_range(waited_ms, 1, 1000);
	wall_s = 1;
	read_all();
	assert_in_range(waited_ms, 1, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_time_of_writing_that_was_set_by_hand_is_not_waited_for),
		TEST(files_of_another_clock_are_waited_for_together),
		TEST(one_that_has_changed_since_the_look_is_waited_for),
		TEST(one_that_changes_while_it_is_waited_for_is_refused),
		TEST(new_files_wait_for_a_second_in_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the log module: the form of its lines, and writing them. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <cjson/cJSON.h>

#include "line.h"
#include "output.h"
#include "syslog_socket.h"

static const struct relay_field none = {NULL, NULL};
static char dir[] = "/tmp/log-output-XXXXXX", path[64];

static struct relay_log_record record_of(const char *text)
{
	return (struct relay_log_record){
		.time_us = INT64_C(1795362003000042),
		.level = RELAY_WARNING,
		.component = "relay",
		.text = text,
		.fields = &none,
	};
}

static void bare_lines_lack_time_and_level(void **state)
{
	struct relay_log_record record = record_of("a  b");
	char line[LINE_MAX_BYTES];

	(void)state;
	assert_int_equal(line_bare(&record, line, sizeof(line)), 11);
	assert_string_equal(line, "relay: a  b");
	assert_int_equal(line_severity(record.level), 4);
}

static void json_has_time_level_component_message_and_fields(void **state)
{
	const struct relay_field fields[] = {
		{"key", "va\"lue"},
		{"level", "fake"},
		{NULL, NULL},
	};
	struct relay_log_record record = record_of("bad \xff byte\n");
	char line[LINE_MAX_BYTES];

	(void)state;
	record.fields = fields;
	assert_true(line_json(&record, line, sizeof(line)) > 0);
	assert_string_equal(line,
		"{\"time\":\"2026-11-22T17:40:03.000042+02:00\","
		"\"level\":\"warning\",\"component\":\"relay\","
		"\"message\":\"bad \\\\xff byte\\\\x0a\","
		"\"key\":\"va\\\"lue\",\"field_level\":\"fake\"}");
}

static void json_that_is_too_long_loses_its_fields_and_says_so(void **state)
{
	char big[1001];
	const struct relay_field fields[] = {
		{"key", big},
		{NULL, NULL},
	};
	struct relay_log_record record = record_of(big);
	char line[LINE_MAX_BYTES];
	cJSON *got;

	(void)state;
	memset(big, '\x01', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	record.fields = fields;
	assert_true(line_json(&record, line, sizeof(line)) > 0);
	got = cJSON_Parse(line);
	assert_non_null(got);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(got, "truncated")));
	assert_non_null(cJSON_GetObjectItem(got, "message"));
	assert_null(cJSON_GetObjectItem(got, "key"));
	cJSON_Delete(got);
}

static const char *content(void)
{
	static char text[4096];
	FILE *file = fopen(path, "re");
	size_t n;

	assert_non_null(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	return text;
}

static void files_are_appended_to_and_private(void **state)
{
	struct relay_err err;
	struct output out;
	struct stat st;

	(void)state;
	(void)unlink(path);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(output_open(&out, path, &err), 0);
		assert_int_equal(output_write(&out, "line", 4), 0);
		output_close(&out);
	}
	assert_string_equal(content(), "line\nline\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07137, 0);
	assert_int_equal(output_open(&out, "/nonexistent/x", &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent/x: No such file"));
}

/* A file size limit simulates a full disk: it, too, stops within a line. */
static void a_full_disk_loses_lines_but_not_the_order_of_lines(void **state)
{
	struct rlimit before, small;
	struct relay_err err;
	struct output out;

	(void)state;
	(void)unlink(path);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 8;
	assert_int_equal(output_open(&out, path, &err), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(output_write(&out, "one", 3), 0);
	assert_int_equal(output_write(&out, "two-two", 7), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(output_write(&out, "three", 5), -1);
	assert_int_equal(out.lost, 2);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(output_write(&out, "four", 4), 0);
	output_close(&out);
	assert_string_equal(content(), "one\ntwo-\nfour\n");
}

static void a_pipe_nobody_reads_neither_blocks_nor_kills(void **state)
{
	struct output out = {.fd = -1};
	char line[4000];
	int ends[2], n = 0;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	memset(line, 'x', sizeof(line));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	out.fd = ends[1];
	while (n < 100 && output_write(&out, line, sizeof(line)) == 0)
		n++;
	assert_in_range(n, 8, 20);
	assert_int_equal(output_write(&out, line, sizeof(line)), -1);
	close(ends[0]);
	assert_int_equal(output_write(&out, line, sizeof(line)), -1);
	close(ends[1]);
}

static int listen_at(const char *where)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)unlink(where);
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", where);
	assert_int_equal(
		bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void the_system_log_may_be_restarted_and_slow(void **state)
{
	char where[80], got[200];
	int server, fd = -1, n = 0;
	struct relay_err err;
	ssize_t len;

	(void)state;
	(void)snprintf(where, sizeof(where), "%s/devlog", dir);
	assert_int_equal(syslog_connect(where, &fd, &err), -1);
	server = listen_at(where);
	assert_int_equal(syslog_connect(where, &fd, &err), 0);
	assert_int_equal(syslog_send(where, &fd, 28, "hello", 5), 0);
	len = recv(server, got, sizeof(got) - 1, 0);
	assert_true(len > 0);
	got[len] = '\0';
	assert_int_equal(strncmp(got, "<28>", 4), 0);
	assert_non_null(strstr(got, " strelaysrv["));
	assert_string_equal(got + len - 8, "]: hello");
	while (n < 10000 && syslog_send(where, &fd, 28, "x", 1) == 0)
		n++;
	assert_true(n < 10000); /* full: the rest is dropped without waiting */
	close(server);
	assert_int_equal(syslog_send(where, &fd, 28, "x", 1), -1);
	server = listen_at(where);
	assert_int_equal(syslog_send(where, &fd, 28, "y", 1), 0);
	close(server);
	close(fd);
	(void)unlink(where);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bare_lines_lack_time_and_level),
		cmocka_unit_test(
			json_has_time_level_component_message_and_fields),
		cmocka_unit_test(
			json_that_is_too_long_loses_its_fields_and_says_so),
		cmocka_unit_test(files_are_appended_to_and_private),
		cmocka_unit_test(
			a_full_disk_loses_lines_but_not_the_order_of_lines),
		cmocka_unit_test(a_pipe_nobody_reads_neither_blocks_nor_kills),
		cmocka_unit_test(the_system_log_may_be_restarted_and_slow),
	};
	int failed;

	if (setenv("TZ", "XXX-2", 1) || !mkdtemp(dir))
		return 1;
	tzset();
	(void)snprintf(path, sizeof(path), "%s/log", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	(void)rmdir(dir);
	return failed;
}

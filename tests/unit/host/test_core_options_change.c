/* SPDX-License-Identifier: MPL-2.0 */

/* The server's own options in a transition: staged, then taken or abandoned. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <strelaysrv/server.h>

#include "base/instance.h"
#include "config/config.h"
#include "host/host.h"
#include "host/host_state.h"
#include "host/core_options_change.h"
#include "host_fixture.h"
#include "peers/peers_state.h"
#include "workers/workers.h"

#define LISTEN "listen = { \"127.0.0.1:0\" }\n"

/* Listens on that port of 127.0.0.1.  If *port is 0, the kernel chooses a port,
 * which is stored there.  Returns the socket, or -1: the port is in use. */
static int occupy(unsigned *port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	if (bind(fd, (struct sockaddr *)&addr, len) != 0) {
		assert_int_equal(close(fd), 0);
		return -1;
	}
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

static void assert_nothing_staged(void)
{
	const struct settings *settings = &instance->host->settings;

	assert_ptr_equal(settings->in_use, &fixture.identity);
	assert_null(settings->conf);
	assert_null(settings->before);
	for (size_t i = 0; i < WORKERS_MAX; i++)
		assert_null(settings->buffers[i]);
}

static size_t buffer_of(unsigned worker)
{
	return peers_of(workers_get(worker))->buffer_len;
}

/* Both configurations; the caller frees the second one. */
static void load_two(const char *lines, struct config **after)
{
	assert_int_equal(fixture_start("a", LISTEN), 0);
	fixture_write("a", lines);
	*after = host_load();
	assert_non_null(*after);
}

static void each_worker_needs_descriptors(void **state)
{
	struct core_conf conf = {.listener_count = 1};

	(void)state;
	assert_int_equal(core_options_descriptors(&conf, 1), 4);
	conf.listener_count = 2;
	assert_int_equal(core_options_descriptors(&conf, 3), 18);
}

static void unchanged_buffers_are_not_staged(void **state)
{
	struct config *after;

	(void)state;
	load_two(LISTEN, &after);
	assert_int_equal(
		core_options_stage(host_core(), config_core(after), NULL), 0);
	assert_null(instance->host->settings.buffers[0]);
	core_options_abandon();
	assert_nothing_staged();
	config_free(after);
}

static void staged_buffers_are_freed_when_abandoned(void **state)
{
	struct config *after;

	(void)state;
	load_two(LISTEN "network-buffer = 128KiB\n", &after);
	assert_int_equal(
		core_options_stage(host_core(), config_core(after), NULL), 0);
	for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
		assert_non_null(instance->host->settings.buffers[i]);
	assert_null(instance->host->settings.buffers[FIXTURE_WORKERS]);
	core_options_abandon();
	assert_nothing_staged();
	assert_int_equal(buffer_of(0), 65536);
	config_free(after);
}

static void an_address_in_use_leaves_nothing_staged(void **state)
{
	struct config *after;
	char lines[128];
	unsigned port = 0;
	int fd = occupy(&port);

	(void)state;
	(void)snprintf(lines, sizeof(lines),
		"network-buffer = 128KiB\nlisten = { \"127.0.0.1:0\", "
		"\"127.0.0.1:%u\" }\n",
		port);
	load_two(lines, &after);
	assert_int_equal(
		core_options_stage(host_core(), config_core(after), NULL), -1);
	assert_nothing_staged();
	config_free(after);
	/* Nor does a reload change anything. */
	fixture_reload("a", lines);
	assert_nothing_staged();
	assert_int_equal(host_core()->network_buffer, 65536);
	assert_null(host_core()->listen[1]);
	assert_int_equal(close(fd), 0);
	fixture_reload("a", lines);
	assert_int_equal(host_core()->network_buffer, 131072);
}

static void an_abandoned_address_is_closed(void **state)
{
	struct config *after;
	char lines[64];
	unsigned port = 0;
	int fd = occupy(&port);

	(void)state;
	assert_int_equal(close(fd), 0);
	(void)snprintf(
		lines, sizeof(lines), "listen = { \"127.0.0.1:%u\" }\n", port);
	load_two(lines, &after);
	assert_int_equal(
		core_options_stage(host_core(), config_core(after), NULL), 0);
	assert_int_equal(occupy(&port), -1);
	core_options_abandon();
	fd = occupy(&port);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	config_free(after);
}

static void a_reload_gives_every_worker_its_buffer(void **state)
{
	(void)state;
	assert_int_equal(fixture_start("a", LISTEN), 0);
	fixture_reload("a", LISTEN "network-buffer = 128KiB\n");
	for (unsigned i = 0; i < FIXTURE_WORKERS; i++)
		assert_int_equal(buffer_of(i), 131072);
	assert_nothing_staged();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_make, fixture_end)
		cmocka_unit_test(each_worker_needs_descriptors),
		T(unchanged_buffers_are_not_staged),
		T(staged_buffers_are_freed_when_abandoned),
		T(an_address_in_use_leaves_nothing_staged),
		T(an_abandoned_address_is_closed),
		T(a_reload_gives_every_worker_its_buffer),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

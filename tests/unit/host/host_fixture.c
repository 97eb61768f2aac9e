/* SPDX-License-Identifier: MPL-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <strelaysrv/hooks.h>

#include "base/cgroup.h"
#include "config/config.h"
#include "host/host.h"
#include "host/reloading.h"
#include "host/core_options_change.h"
#include "host_fixture.h"
#include "http/http.h"
#include "life/metric_tables.h"
#include "life/rooms.h"
#include "log/log.h"
#include "modules/module_log.h"
#include "modules/registrations.h"
#include "net/capacity.h"
#include "peers/listeners.h"
#include "peers/listeners_change.h"
#include "peers/peers.h"
#include "workers/worker_threads.h"
#include "workers/workers.h"

struct fixture fixture;

/* There are no files to find. */
int __wrap_module_folders_read(
	const char *dirs, struct module_folders *out, struct relay_err *err);
int __wrap_module_folders_read(
	const char *dirs, struct module_folders *out, struct relay_err *err)
{
	(void)dirs;
	(void)err;
	*out = (struct module_folders){.count = 0};
	return 0;
}

/* The modules stay present. */
int __wrap_catalog_take(
	struct catalog *catalog, const struct module_folders *folders);
int __wrap_catalog_take(
	struct catalog *catalog, const struct module_folders *folders)
{
	(void)catalog;
	(void)folders;
	return 0;
}

/* The modules. */

static bool fails(const struct relay_module *mod, const char *callback)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%s.%s", mod->def.name, callback);
	return fixture.failing && strcmp(fixture.failing, name) == 0;
}

static int note(
	const struct relay_ctx *cx, const char *callback, struct relay_err *err)
{
	size_t len = strlen(fixture.called);

	(void)snprintf(fixture.called + len, sizeof(fixture.called) - len,
		"%s.%s ", cx->mod->def.name, callback);
	return fails(cx->mod, callback) ? relay_fail(err, "told to fail") : 0;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	return note(cx, "init", err);
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	return note(cx, "start", err);
}

/* Not noted: it runs on the worker's thread. */
static int worker_start(struct relay_ctx *cx, struct relay_err *err)
{
	return fails(cx->mod, "worker_start") ? relay_fail(err, "told to fail")
					      : 0;
}

static void stop(struct relay_ctx *cx)
{
	(void)note(cx, "stop", NULL);
}

static void fini(struct relay_ctx *cx)
{
	(void)note(cx, "fini", NULL);
}

static int reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	(void)conf;
	return note(cx, "prepare", err);
}

static void reload_commit(struct relay_ctx *cx)
{
	(void)note(cx, "commit", NULL);
}

static void reload_abandon(struct relay_ctx *cx)
{
	(void)note(cx, "abandon", NULL);
}

static void make_modules(void)
{
	static const char *const names[FIXTURE_MODULES] = {"a", "b", "c"};

	for (size_t i = 0; i < FIXTURE_MODULES; i++) {
		fixture.mods[i].present = true;
		fixture.mods[i].def = (struct relay_module_def){
			.name = names[i],
			.version = "1",
			.flags = i == 2 ? RELAY_ESSENTIAL : 0,
			.init = init,
			.start = start,
			.worker_start = worker_start,
			.stop = stop,
			.fini = fini,
			.hooks = {.reload_prepare = reload_prepare,
				.reload_commit = reload_commit,
				.reload_abandon = reload_abandon},
		};
		fixture.sorted[i] = &fixture.mods[i];
	}
	fixture.catalog.mods = fixture.sorted;
	fixture.catalog.count = FIXTURE_MODULES;
	fixture.catalog.dirs = fixture.path;
}

/* The server. */

static void make_file(void)
{
	int fd;

	(void)strcpy(fixture.path, "/tmp/host.XXXXXX");
	fd = mkstemp(fixture.path);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	fixture.flags.conf = fixture.path;
	fixture.flags.conf_given = true;
}

int fixture_make(void **state)
{
	const struct peers_conf peers = {.workers = FIXTURE_WORKERS,
		.network_buffer = 65536,
		.pipe_size = 1 << 20};

	(void)state;
	fixture = (struct fixture){.failing = NULL};
	make_file();
	make_modules();
	assert_int_equal(rooms_create(), 0);
	assert_int_equal(loop_init(&fixture.control, RELAY_CONTROL), 0);
	loop_current = &fixture.control;
	module_log_init();
	loop_attach_log(&fixture.control);
	worker_threads_introduce();
	registrations_add(http_withdraw);
	capacity_init(0, 0, &(struct cgroup_limit){.most = 0});
	assert_int_equal(metric_tables_init(FIXTURE_WORKERS), 0);
	host_init(&fixture.catalog, &fixture.flags, &fixture.control);
	core_options_init(&fixture.identity);
	assert_int_equal(peers_create(&peers), 0);
	assert_int_equal(http_init(fixture.control.base, "", ""), 0);
	assert_int_equal(workers_run(), 0);
	return 0;
}

int fixture_end(void **state)
{
	(void)state;
	workers_stop();
	host_stop();
	http_finish();
	host_finish();
	workers_destroy();
	listeners_finish();
	for (size_t i = 0; i < FIXTURE_MODULES; i++)
		free(fixture.mods[i].workers);
	log_detach();
	loop_current = NULL;
	loop_finish(&fixture.control);
	rooms_destroy();
	return unlink(fixture.path);
}

void fixture_write(const char *modules, const char *lines)
{
	FILE *file = fopen(fixture.path, "w");

	assert_non_null(file);
	assert_true(fprintf(file, "modules = { %s }\nstatus-srv = \"\"\n%s",
			    modules, lines) > 0);
	assert_int_equal(fclose(file), 0);
	fixture.called[0] = '\0';
}

int fixture_start(const char *modules, const char *lines)
{
	struct config *config;
	struct relay_err err;

	fixture_write(modules, lines);
	config = host_load();
	assert_non_null(config);
	assert_int_equal(listeners_stage(config_core(config), NULL, &err), 0);
	if (host_start(config) != 0)
		return -1;
	assert_int_equal(listeners_open(&err), 0);
	listeners_commit();
	return 0;
}

void fixture_reload(const char *modules, const char *lines)
{
	fixture_write(modules, lines);
	reloading_begin();
	/* Its files are read on threads, which post to this loop. */
	while (reloading_is_on())
		assert_int_equal(
			event_base_loop(fixture.control.base, EVLOOP_ONCE), 0);
}

const char *fixture_in_stage(enum module_stage stage)
{
	static char names[2 * FIXTURE_MODULES + 1];
	size_t len = 0;

	for (size_t i = 0; i < FIXTURE_MODULES; i++)
		if (fixture.mods[i].stage == stage) {
			names[len++] = fixture.mods[i].def.name[0];
			names[len++] = ' ';
		}
	names[len] = '\0';
	return names;
}

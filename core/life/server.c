/* SPDX-License-Identifier: MPL-2.0 */

/* The server: the order of its start and of its end. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <strelaysrv/server.h>

#include "base/cgroup.h"
#include "base/instance.h"
#include "base/standard_fds.h"
#include "config/config.h"
#include "config/flags.h"
#include "host/host.h"
#include "host/reloading.h"
#include "host/core_options_change.h"
#include "http/http.h"
#include "life/command_line.h"
#include "life/drain.h"
#include "life/environment_files.h"
#include "life/launcher.h"
#include "life/life_state.h"
#include "life/metric_tables.h"
#include "life/systemd_notify.h"
#include "life/own_identity.h"
#include "life/own_rights.h"
#include "life/check_and_list.h"
#include "life/pass_on.h"
#include "life/rooms.h"
#include "life/server.h"
#include "life/serverless.h"
#include "life/signals.h"
#include "life/start_watch.h"
#include "life/takeover.h"
#include "life/unused_options.h"
#include "life/upgrade.h"
#include "life/version.h"
#include "log/log.h"
#include "loop/crash.h"
#include "loop/loop.h"
#include "loop/thread_stack.h"
#include "loop/blocking_task.h"
#include "loop/heap_trim.h"
#include "metrics/metrics.h"
#include "modules/catalog.h"
#include "modules/module_log.h"
#include "modules/module_metrics.h"
#include "modules/preload.h"
#include "modules/registrations.h"
#include "net/capacity.h"
#include "net/inherited.h"
#include "net/kernel_memory.h"
#include "net/needed_calls.h"
#include "peers/listeners.h"
#include "peers/listeners_change.h"
#include "peers/peers.h"
#include "peers/stop.h"
#include "tls/identity.h"
#include "tls/tls.h"
#include "tls/tls_start.h"
#include "workers/hang_watch.h"
#include "workers/loop_lag.h"
#include "workers/wait_limit.h"
#include "workers/worker_count.h"
#include "workers/worker_threads.h"
#include "workers/workers.h"
#include "workers/workers_answer.h"

#define NAME "strelaysrv"

#define EXIT_USAGE 2 /* a restart would fail again */

/* How long the end may take, after the grace period. */
#define END_LIMIT_MS 60000

/*
 * struct instance (base/instance.h) is the server as a whole: a state for each
 * room.  rooms_create() makes them, empty; build_up() and open_up() initialize
 * what is in them, in the order in which they need each other; tear_down()
 * finishes it, and rooms_destroy() frees them.
 */
static struct server_shared *self(void)
{
	return &instance->life->shared;
}

void relay_server_stop(void)
{
	loop_stop(&self()->control);
}

const uint8_t *relay_server_id(void)
{
	return self()->identity.id;
}

static int fatal(const struct relay_err *err)
{
	log_core(RELAY_ERROR, "%s", err->text);
	return -1;
}

/* The Go server joins a pool by default, so this must not go unnoticed. */
static void note_no_pool(int argc, char *const argv[])
{
	if (!host_has_flag("pools") && !command_line_has(argc, argv, "pools"))
		log_core(RELAY_NOTICE,
			"this relay joins no pool: the module pool-join does "
			"not run");
}

/* The rooms' state, in the order of their dependencies. */

static int load_identity(const struct core_conf *core)
{
	struct relay_err err;

	if (own_identity_load(
		    &self()->identity, core->keys, &self()->rights, &err) != 0)
		return fatal(&err);
	return 0;
}

static const struct drain_owner drain_owner = {
	.held = upgrade_is_on_probation, .ended = upgrade_end};

static int watch_loops(void)
{
	struct server_shared *server = self();

	if (loop_lag_start(&server->control) != 0 ||
		hang_watch_start(systemd_notify_hanging, &server->files) != 0 ||
		heap_trim_start(&server->control) != 0) {
		log_core(RELAY_ERROR, "cannot watch the loops: no memory");
		return -1;
	}
	return 0;
}

static int build_up(char *const argv[], const struct config *config)
{
	const struct core_conf *core = config_core(config);
	struct server_shared *server = self();
	struct cgroup_limits limits;
	struct peers_conf peers = {
		.network_buffer = (size_t)core->network_buffer,
		.pipe_size = (size_t)core->pipe_size,
		.socket_buffer = (int)core->socket_buffer,
		.answer_timeout_ms = core->answer_timeout_ms,
	};
	struct relay_err err;

	cgroup_limits("", &limits);
	peers.workers = worker_count(core->workers, &limits.cpus);
	kernel_memory_bound(core->session_memory, &limits.memory);
	worker_threads_introduce();
	registrations_add(http_withdraw);
	if (inherited_init(&err) != 0 || takeover_init(&err) != 0)
		return fatal(&err);
	capacity_init(core->max_connections,
		core_options_descriptors(core, peers.workers), &limits.memory);
	if (own_rights_prepare(server, argv, config, &err) != 0)
		return fatal(&err);
	if (load_identity(core) != 0)
		return -1;
	core_options_init(&server->identity);
	if (tls_init(tls_start_libctx(), tls_start_context(), &server->identity,
		    &err) != 0)
		return fatal(&err);
	if (metric_tables_init(peers.workers) != 0 || peers_create(&peers) != 0)
		return -1;
	if (listeners_stage(core, NULL, &err) != 0)
		return fatal(&err);
	if (http_init(server->control.base, core->status_srv,
		    core->private_srv) != 0) {
		log_core(RELAY_ERROR, "no memory for the status service");
		return -1;
	}
	if (own_rights_drop(server, argv, config, &err) != 0)
		return fatal(&err);
	if (workers_run() != 0)
		return -1;
	if (drain_init(server->control.base, &drain_owner) != 0 ||
		upgrade_init(server->control.base, argv) != 0) {
		log_core(RELAY_ERROR, "no memory for a timer");
		return -1;
	}
	return watch_loops();
}

static int open_up(void)
{
	struct server_shared *server = self();
	struct relay_err err;

	if (tls_start_settle(&server->identity, host_core()->keys, &err) != 0 ||
		takeover_await(host_core()->upgrade_timeout_ms, &err) != 0 ||
		listeners_open(&err) != 0)
		return fatal(&err);
	listeners_commit();
	if (takeover_serving(server->control.base, &err) != 0)
		return fatal(&err);
	hang_watch_expect(HANG_WATCH_CALLS);
	host_ready();
	inherited_finish();
	if (systemd_notify_ready(server->control.base) != 0) {
		log_core(RELAY_ERROR,
			"no memory for the timer of the systemd notifications");
		return -1;
	}
	return 0;
}

/* The hanging worker may use anything at any time, so nothing can be freed. */
static void leave_hanging(void)
{
	char text[200];

	hang_watch_describe_worker(text, sizeof(text));
	log_core(RELAY_ERROR, "%s: the server exits without waiting", text);
	log_flush();
	_exit(EXIT_FAILURE);
}

/* Threads that wait for files that do not answer may return at any time, so
 * what they use must stay. */
static void leave_tasks(int code)
{
	if (task_threads() == 0)
		return;
	log_detach();
	_exit(code);
}

static void tear_down(int result)
{
	hang_watch_expect(HANG_WATCH_CALLS);
	(void)wait_limit_set(END_LIMIT_MS);
	reloading_stop();
	upgrade_finish();
	if (!workers_answer())
		leave_hanging();
	workers_stop();
	hang_watch_expect(HANG_WATCH_END);
	takeover_finish();
	pass_on_finish();
	launcher_finish();
	inherited_finish();
	host_stop();
	http_finish();
	heap_trim_finish();
	hang_watch_stop();
	loop_lag_finish();
	drain_finish();
	leave_tasks(result == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	workers_destroy();
	listeners_finish();
	tls_finish();
	identity_finish(&self()->identity);
	/* Last, so that log records that were lost until here are counted. */
	log_flush();
}

static int serve(int argc, char *const argv[], struct config *config)
{
	int result = -1;

	if (build_up(argv, config) != 0) {
		config_free(config);
		goto end;
	}
	hang_watch_expect(HANG_WATCH_CALLS);
	if (host_start(config) != 0)
		goto end;
	hang_watch_expect(HANG_WATCH_WAIT); /* for an old process */
	log_release();
	note_no_pool(argc, argv);
	if (open_up() != 0)
		goto end;
	hang_watch_expect(HANG_WATCH_LOOP);
	result = loop_run(&self()->control);
	hang_watch_expect(HANG_WATCH_WAIT);
	if (result != 0)
		log_core(RELAY_ERROR, "the control loop failed");
end:
	signals_exit_at_once();
	if (result == 0) {
		log_core(RELAY_NOTICE, "stopping");
		systemd_notify_stopping("stopping");
		if (stop_within(host_core()->stop_grace_ms) != 0)
			leave_hanging();
	}
	tear_down(result);
	return result;
}

static int run(int argc, char *const argv[])
{
	struct server_shared *server = self();
	struct config *config;
	struct relay_err err;
	char version[512];

	if (tls_start_await(&err) != 0)
		return fatal(&err);
	if (server->flags.action == CONFIG_CHECK ||
		server->flags.action == CONFIG_MODULES)
		return report(&server->catalog, server->flags.action, argv[0]);
	if (needed_calls_check(&err) != 0)
		return fatal(&err);
	config = host_load();
	if (!config)
		return -1;
	if (config_core(config)->crypto == CORE_CRYPTO_OPENSSL)
		tls_start_openssl();
	else
		tls_start_selftest();
	log_debug(config_core(config)->debug);
	catalog_report(&server->catalog);
	version_line(version, sizeof(version));
	log_core(RELAY_NOTICE, "%s", version);
	return serve(argc, argv, config);
}

static int find_modules(int argc, char *const argv[])
{
	struct server_shared *server = self();
	const char *dirs = flags_module_dir(argc, argv);
	const char *conf = flags_conf(argc, argv);
	char *set = !dirs && conf ? preload_module_dir(conf) : NULL;
	struct relay_err err;
	int result = catalog_init(&server->catalog, dirs ? dirs : set, &err);

	free(set);
	if (result != 0 || catalog_scan(&server->catalog, &err) != 0)
		return fatal(&err);
	server->catalog.careful = command_line_has(argc, argv, "check") ||
				  command_line_has(argc, argv, "modules");
	host_init(&server->catalog, &server->flags, &server->control);
	return 0;
}

static int act(int argc, char *const argv[])
{
	struct server_shared *server = self();
	struct relay_err err;
	int code;
	bool is_client = serverless_expected(argc, argv);

	/* These look at files before the flags are read. */
	if (is_client || command_line_has(argc, argv, "check") ||
		command_line_has(argc, argv, "modules"))
		signals_default();
	if (!is_client)
		tls_start_begin();
	start_watch_begin(&server->files);
	if (find_modules(argc, argv) != 0)
		return EXIT_FAILURE;
	code = command_line_read(argc, argv, &server->catalog, &server->flags);
	if (code != 0)
		return code;
	code = serverless_act(&server->flags);
	if (code >= 0)
		return code;
	if (server->flags.action != CONFIG_MODULES &&
		unused_options_check(argc, argv, getenv, stderr) != 0)
		return EXIT_USAGE;
	if (is_client) /* no: a value of another flag only looked like it */
		tls_start_begin();
	if (server->flags.action == CONFIG_RUN &&
		systemd_notify_init(&err) != 0) {
		(void)fatal(&err);
		return EXIT_FAILURE;
	}
	return run(argc, argv) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Runs with the log and the control thread's loop. */
static int serve_all(int argc, char *const argv[])
{
	struct server_shared *server = self();
	int code = EXIT_FAILURE;

	if (crash_init(module_describe) != 0)
		log_core(RELAY_WARNING, "cannot report fatal signals: %s",
			strerror(errno));
	if (thread_stack_default() != 0)
		log_core(RELAY_WARNING, "cannot set the stack size of threads");
	if (file_wait_init(&server->files) != 0) {
		log_core(RELAY_ERROR, "out of memory");
		return EXIT_FAILURE;
	}
	file_wait_here(&server->files);
	if (loop_init(&server->control, RELAY_CONTROL) != 0)
		return EXIT_FAILURE;
	loop_current = &server->control;
	module_log_init();
	loop_attach_log(&server->control);
	log_hold();
	if (signals_init(server->control.base) == 0)
		code = act(argc, argv);
	start_watch_end();
	leave_tasks(code);
	loop_deliver(&server->control);
	host_finish();
	flags_free(&server->flags);
	systemd_notify_finish();
	log_detach();
	catalog_finish(&server->catalog);
	tls_start_finish();
	signals_finish();
	loop_current = NULL;
	loop_finish(&server->control);
	return code;
}

int server_run(int argc, char *const argv[])
{
	int code;

	if (standard_fds_open() != 0)
		return EXIT_FAILURE;
	if (environment_files_check(stderr) != 0)
		return EXIT_USAGE;
	if (rooms_create() != 0) {
		(void)fputs(NAME ": out of memory\n", stderr);
		return EXIT_FAILURE;
	}
	code = serve_all(argc, argv);
	rooms_destroy();
	crash_leave();
	return code;
}

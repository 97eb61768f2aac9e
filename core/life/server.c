/* SPDX-License-Identifier: MPL-2.0 */

/* The server: in which order it starts, what signals do, how it ends. */

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <strelaysrv/server.h>

#include "net/capacity.h"
#include "modules/catalog.h"
#include "host/check.h"
#include "config/config.h"
#include "loop/crash.h"
#include "life/drain.h"
#include "config/flags.h"
#include "host/host.h"
#include "http/http.h"
#include "tls/identity.h"
#include "tls/identity_read.h"
#include "net/inherited.h"
#include "peers/lag.h"
#include "host/list_modules.h"
#include "net/kernel_memory.h"
#include "peers/listeners.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "modules/module_log.h"
#include "modules/module_metrics.h"
#include "life/metric_tables.h"
#include "life/notify.h"
#include "modules/registrations.h"
#include "base/rights.h"
#include "life/server.h"
#include "host/settings.h"
#include "config/show_config.h"
#include "life/signals.h"
#include "peers/stop.h"
#include "life/takeover.h"
#include "life/upgrade.h"
#include "tls/tls.h"
#include "tls/tls_start.h"
#include "loop/trim.h"
#include "modules/wanted.h"
#include "peers/worker.h"

#define NAME "strelaysrv"

static struct {
	struct loop control;
	struct flags flags;
	struct catalog catalog;
	struct identity identity;
	struct rights rights;
} server;

void relay_server_stop(void)
{
	loop_stop(&server.control);
}

const uint8_t *relay_server_id(void)
{
	return server.identity.id;
}

static int fatal(const char *what, const struct relay_err *err)
{
	log_core(RELAY_ERROR, "%s%s", what, err->text);
	return -1;
}

/* The command line. */

static void version_line(char *out, size_t cap)
{
	const struct relay_build *b = relay_build();

	snprintf(out, cap, NAME " %s (%s, %s-%s) %s@%s %s", b->version,
		b->compiler, b->os, b->arch, b->user, b->host, b->date);
}

static int print_version(void)
{
	char line[512];

	version_line(line, sizeof(line));
	if (puts(line) == EOF || fflush(stdout) != 0)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}

static bool flag_given(int argc, char *const argv[], const char *name)
{
	size_t len = strlen(name);

	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		arg += *arg == '-';
		arg += *arg == '-';
		if (arg != argv[i] && strncmp(arg, name, len) == 0 &&
			(arg[len] == '=' || arg[len] == '\0'))
			return true;
	}
	return false;
}

/* The original joins a pool unless told otherwise; silence would surprise. */
static void note_no_pool(int argc, char *const argv[])
{
	if (!host_has_flag("pools") && !flag_given(argc, argv, "pools"))
		log_core(RELAY_NOTICE,
			"this relay joins no pool: the module pool-join does "
			"not run");
}

/* The parts, in the order in which they need each other. */

static unsigned available_cpus(void)
{
	cpu_set_t set;
	int count = 0;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		count = CPU_COUNT(&set);
	return count < 1 ? 1 : (unsigned)count;
}

static unsigned worker_count(const struct core_conf *core)
{
	unsigned count =
		core->workers ? (unsigned)core->workers : available_cpus();

	return count > WORKERS_MAX ? WORKERS_MAX : count;
}

/* Whatever was made before a failure is taken back by tear_down(). */
/* Who it is to become; and before there are keys, nobody gets to see them. */
static int prepare_rights(const struct core_conf *core)
{
	struct relay_err err;

	if (rights_find(core->user, core->group, &server.rights, &err) != 0 ||
		rights_check(&server.rights, &err) != 0 ||
		rights_limit_dumps(core->core_dumps, &err) != 0)
		return fatal("", &err);
	return 0;
}

static int load_identity(const struct core_conf *core)
{
	const struct identity_owner owner = {
		server.rights.uid, server.rights.gid};
	struct relay_err err;

	identity_use(tls_start_libctx());
	if (identity_load_for(&server.identity, core->keys, NAME,
		    rights_will_change(&server.rights) ? &owner : NULL,
		    &err) != 0)
		return fatal("", &err);
	check_key_mode(&server.identity, core->keys);
	return 0;
}

/* All that follows, modules included, has the rights that a reload has. */
static int drop_rights(const struct core_conf *core)
{
	struct relay_err err;

	/* Capabilities are a thread's own: there must be no other. */
	if (rights_will_change(&server.rights)) {
		tls_start_join();
		http_reserve();
	}
	if (rights_drop(&server.rights, core->core_dumps, &err) != 0)
		return fatal("", &err);
	rights_tell(&server.rights, server.flags.conf, core->keys);
	return 0;
}

static int build_up(char *const argv[], const struct core_conf *core)
{
	struct worker_conf workers = {
		.count = worker_count(core),
		.network_buffer = (size_t)core->network_buffer,
		.pipe_size = (size_t)core->pipe_size,
		.socket_buffer = (int)core->socket_buffer,
	};
	struct relay_err err;

	kernel_memory_bound(core->session_memory);
	workers_introduce();
	registrations_add(http_withdraw);
	if (inherited_init(&err) != 0 || takeover_init(&err) != 0)
		return fatal("", &err);
	capacity_init(core->max_connections,
		settings_descriptors(core, workers.count));
	if (prepare_rights(core) != 0 || load_identity(core) != 0)
		return -1;
	settings_init(&server.identity);
	if (tls_init(tls_start_libctx(), tls_start_context(), &server.identity,
		    &err) != 0)
		return fatal("", &err);
	if (metric_tables_init(workers.count) != 0 ||
		workers_create(&workers) != 0)
		return -1;
	if (listeners_stage(core->listen, core->protocol, &err) != 0)
		return fatal("", &err);
	if (http_init(server.control.base, core->status_srv,
		    core->private_srv) != 0) {
		log_core(RELAY_ERROR, "no memory for the status service");
		return -1;
	}
	if (drop_rights(core) != 0 || workers_run() != 0)
		return -1;
	if (drain_init(server.control.base) != 0 ||
		upgrade_init(server.control.base, argv) != 0) {
		log_core(RELAY_ERROR, "no memory for a timer");
		return -1;
	}
	if (lag_start(&server.control) != 0 ||
		trim_start(&server.control) != 0) {
		log_core(RELAY_ERROR, "no memory to watch the loops");
		return -1;
	}
	return 0;
}

static int open_up(void)
{
	struct relay_err err;

	if (tls_start_settle(&server.identity, host_core()->keys, &err) != 0 ||
		takeover_await(host_core()->upgrade_timeout_ms, &err) != 0 ||
		listeners_open(&err) != 0)
		return fatal("", &err);
	listeners_take();
	if (takeover_serving(server.control.base, &err) != 0)
		return fatal("", &err);
	host_ready();
	inherited_finish();
	if (notify_ready(server.control.base) != 0) {
		log_core(RELAY_ERROR, "no memory for the service manager");
		return -1;
	}
	return 0;
}

static void tear_down(void)
{
	upgrade_finish();
	workers_stop();
	takeover_finish();
	inherited_finish();
	host_stop();
	http_finish();
	trim_finish();
	lag_finish();
	drain_finish();
	workers_destroy();
	listeners_finish();
	tls_finish();
	identity_finish(&server.identity);
	/* The log counts what it loses to the end. */
	log_flush();
}

static int serve(int argc, char *const argv[], struct config *config)
{
	int result = -1;

	if (build_up(argv, config_core(config)) != 0) {
		config_free(config);
		goto end;
	}
	if (host_start(config) != 0)
		goto end;
	log_release();
	note_no_pool(argc, argv);
	if (open_up() != 0)
		goto end;
	result = loop_run(&server.control);
	if (result != 0)
		log_core(RELAY_ERROR, "the control loop failed");
end:
	signals_exit_at_once();
	if (result == 0) {
		log_core(RELAY_NOTICE, "stopping");
		notify_stopping("stopping");
		stop_within(host_core()->stop_grace_ms);
	}
	tear_down();
	return result;
}

/* What can be told at once, is: of the files, the modules, and the machine. */
static int check(struct config *config, bool good)
{
	int result = good ? 0 : -1;

	if (host_check(config) != 0)
		result = -1;
	if (check_surroundings(config_core(config)) != 0)
		result = -1;
	if (result != 0) {
		log_core(RELAY_ERROR, "the configuration is not good");
		return -1;
	}
	if (show_config(config, stdout) != 0) {
		log_core(RELAY_ERROR, "cannot write to stdout: %s",
			strerror(errno));
		return -1;
	}
	log_core(RELAY_NOTICE, "the configuration is good");
	return 0;
}

static int list(const struct config *config)
{
	int result = list_modules(&server.catalog, config, stdout);

	if (result != 0)
		log_core(RELAY_ERROR, "the list is not complete: %s",
			strerror(errno));
	return result;
}

/* -check and -modules: also of what is wrong, as much as can be told. */
static int look(void)
{
	bool good;
	struct config *config = host_examine(&good);
	int result;

	if (!config)
		return -1;
	log_debug(config_core(config)->debug);
	log_release();
	catalog_report(&server.catalog);
	if (server.flags.action == CONFIG_CHECK)
		result = check(config, good);
	else
		result = list(config);
	config_free(config);
	return good ? result : -1;
}

static int run(int argc, char *const argv[])
{
	struct config *config;
	struct relay_err err;
	char version[512];

	if (tls_start_await(&err) != 0)
		return fatal("", &err);
	if (server.flags.action == CONFIG_CHECK ||
		server.flags.action == CONFIG_MODULES)
		return look();
	tls_start_rehearse();
	config = host_load();
	if (!config)
		return -1;
	log_debug(config_core(config)->debug);
	catalog_report(&server.catalog);
	version_line(version, sizeof(version));
	log_core(RELAY_NOTICE, "%s", version);
	return serve(argc, argv, config);
}

static int find_modules(int argc, char *const argv[])
{
	struct relay_err err;

	if (catalog_init(&server.catalog, flags_module_dir(argc, argv), &err) ||
		catalog_scan(&server.catalog, &err) != 0)
		return fatal("", &err);
	host_init(&server.catalog, &server.flags, &server.control);
	return 0;
}

static int no_memory(void)
{
	log_core(RELAY_ERROR, "out of memory");
	return EXIT_FAILURE;
}

/* By the tables of the modules that are open. */
static int parse_flags(int argc, char *const argv[], FILE *out)
{
	size_t count;
	const struct config_module *schema = host_schema(&count);

	if (!schema)
		return no_memory();
	return flags_parse(argc, argv, schema, count, server.catalog.dirs,
		&server.flags, out);
}

/* Whether nothing was asked for that needs more modules than there are. */
static bool is_plain_start(const char *conf)
{
	const struct flags *flags = &server.flags;

	return (flags->action == CONFIG_RUN ||
		       flags->action == CONFIG_VERSION) &&
	       !flags->missing &&
	       (flags->conf ? conf && strcmp(flags->conf, conf) == 0 : !conf);
}

/* Without a word: 0, or what flags_parse() returned. */
static int try_flags(int argc, char *const argv[])
{
	char *text = NULL;
	size_t len;
	FILE *unread = open_memstream(&text, &len);
	int code;

	if (!unread)
		return no_memory();
	do {
		flags_free(&server.flags);
		code = parse_flags(argc, argv, unread);
	} while (server.flags.missing &&
		 catalog_open(&server.catalog, server.flags.missing) > 0);
	(void)fclose(unread);
	free(text);
	return code;
}

/*
 * Modules are wanted for their flags before it is known which run: with those
 * that will, most command lines are good.  For the others, and for what they
 * are told, all are opened.
 */
static int read_flags(int argc, char *const argv[])
{
	const char *conf = flags_conf(argc, argv);

	if (wanted_open(&server.catalog, conf) != 0)
		return no_memory();
	if (try_flags(argc, argv) == 0 && is_plain_start(conf))
		return 0;
	flags_free(&server.flags);
	if (catalog_open_all(&server.catalog) < 0)
		return no_memory();
	return parse_flags(argc, argv, stderr);
}

/* Reads the command line, whose flags are partly the modules'. */
static int obey(int argc, char *const argv[])
{
	struct relay_err err;
	int code;

	tls_start_begin();
	if (find_modules(argc, argv) != 0)
		return EXIT_FAILURE;
	code = read_flags(argc, argv);
	if (code != 0)
		return code;
	if (server.flags.action == CONFIG_HELP)
		return EXIT_SUCCESS;
	if (server.flags.action == CONFIG_VERSION)
		return print_version();
	if (server.flags.action == CONFIG_RUN && notify_init(&err) != 0) {
		(void)fatal("", &err);
		return EXIT_FAILURE;
	}
	return run(argc, argv) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int server_run(int argc, char *const argv[])
{
	int code = EXIT_FAILURE;

	log_init(false);
	if (crash_init(module_describe) != 0)
		log_core(RELAY_WARNING, "no reports of fatal signals: %s",
			strerror(errno));
	if (loop_init(&server.control, RELAY_CONTROL) != 0) {
		log_core(RELAY_ERROR, "cannot make an event loop: %s",
			strerror(errno));
		return EXIT_FAILURE;
	}
	loop_current = &server.control;
	module_log_init();
	loop_attach_log(&server.control);
	log_hold();
	if (signals_init(server.control.base) == 0)
		code = obey(argc, argv);
	host_finish();
	flags_free(&server.flags);
	notify_finish();
	log_detach();
	metrics_finish();
	catalog_finish(&server.catalog);
	tls_start_finish();
	signals_finish();
	loop_current = NULL;
	loop_finish(&server.control);
	return code;
}

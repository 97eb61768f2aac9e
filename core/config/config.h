/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Configuration: flags over strelaysrv.conf over defaults, as one snapshot.
 *
 * A snapshot is immutable once made.  A reload makes another from the same
 * flags and the file as it is now.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>
#include <strelaysrv/log.h>
#include <strelaysrv/option.h>

/* The server's own options: the top level of the file. */
struct core_conf {
	const char *const *listen;
	int64_t protocol; /* enum core_protocol */
	const char *keys;
	const char *status_srv;
	const char *private_srv;
	const char *const *private_hosts;
	const char *const *modules;
	int64_t workers; /* 0: as many as CPUs are available */
	int64_t network_buffer;
	int64_t pipe_size;
	int64_t socket_buffer;   /* 0: as the kernel sizes them */
	int64_t session_memory;  /* see kernel_memory_bound() */
	int64_t max_connections; /* 0: 80 % of the descriptor limit */
	const char *user;        /* "": whoever starts it */
	const char *group;       /* "": the user's own */
	bool core_dumps;
	int64_t drain_timeout_ms; /* 0: for ever */
	int64_t drain_spread_ms;
	int64_t upgrade_timeout_ms;
	int64_t stop_grace_ms;
	bool debug;
	bool pprof; /* accepted for compatibility, without effect */
};

extern const struct relay_option core_options[]; /* ended by RELAY_OPT_END */

/* What a module brings to the schema. */
struct config_module {
	const char *name;
	const struct relay_option *options; /* NULL: none */
	size_t conf_size;
	/* Its table is not known: its section is taken as it is, and nothing
	 * but `required` is read from it. */
	bool opaque;
};

/* What the command line asks for besides options. */
enum config_action {
	CONFIG_RUN,
	CONFIG_CHECK,   /* -check */
	CONFIG_MODULES, /* -modules: lists them on stdout, exit 0 */
	CONFIG_VERSION, /* -version: one line on stdout, exit 0 */
	CONFIG_HELP,    /* usage was printed to stderr, exit 0 */
	CONFIG_USAGE,   /* message and usage were printed to stderr, exit 2 */
};

struct flags; /* the parsed command line, see flags.h */
struct config;

/*
 * The whole snapshot.  `file`: path of the file, NULL for none.  Every problem
 * is reported through `report` (one call each, text names file, line, option,
 * what was found and what is allowed); parsing goes on to find them all.
 * NULL if there was any.  Takes nothing over; frees with config_free().
 */
typedef void config_report_fn(
	enum relay_level level, const char *text, void *arg);
struct config *config_load(const char *file, const struct flags *flags,
	const struct config_module *mods, size_t n, config_report_fn *report,
	void *arg);
/*
 * The same, but tells what could be made of it also if there was a problem:
 * *good is false then, and what was wrong has its default.  NULL: no memory, or
 * a table is wrong.
 */
struct config *config_examine(const char *file, const struct flags *flags,
	const struct config_module *mods, size_t n, config_report_fn *report,
	void *arg, bool *good);
void config_free(struct config *config);

const struct core_conf *config_core(const struct config *config);
/* The filled struct of a module's options; NULL if the module is unknown. */
const void *config_module_values(const struct config *config, const char *name);
/* `required` of the module's section; true unless set to no. */
bool config_module_required(const struct config *config, const char *name);
/* Whether a value of its section was wrong, and the default stands for it. */
bool config_module_flawed(const struct config *config, const char *name);
/* section NULL: the server's own.  0 or -1.  A deprecated name gives the value
 * of its successor. */
int config_get(const struct config *config, const char *section,
	const char *name, struct relay_value *out);
/*
 * Gives an option of one snapshot the value, and its origin, of another made
 * of the same tables.  0, or -1 without memory.
 */
int config_hold(struct config *config, const struct config *as_in,
	const char *section, const char *name);
typedef void config_visit_fn(
	const char *section, const struct relay_value *value, void *arg);
/* Calls visit for each option of each section, in order, but deprecated ones.
 */
void config_visit(
	const struct config *config, config_visit_fn *visit, void *arg);
/* The same for one section; NULL: the server's own. */
void config_visit_section(const struct config *config, const char *name,
	config_visit_fn *visit, void *arg);

#endif

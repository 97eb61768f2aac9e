/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a configuration consists of: the server's own options and those of
 * modules, the actions of the command line, and the callback for problems.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/log.h>
#include <strelaysrv/option.h>

/* Whose algorithms TLS uses. */
enum core_crypto { CORE_CRYPTO_OWN, CORE_CRYPTO_OPENSSL };

/* One address that is listened on.  Borrows from its snapshot. */
struct core_listener {
	const char *name;    /* of its section; "": it is a word of `listen` */
	const char *origin;  /* of the section: "FILE:LINE"; NULL: no section */
	const char *address; /* as configured */
	/* Each connection begins with a header of a proxy. */
	bool proxied;
	const char *const *proxy_from; /* if proxied: the proxies; or empty */
	bool guarded;                  /* its option `private` */
	const char *protocol;          /* the module that serves it; "": any */
	int64_t max_connections;       /* 0: no limit of its own */
};

/* Sections in a configuration, and bytes of a name. */
#define CORE_LISTENERS_MAX     32
#define CORE_LISTENER_NAME_MAX 32
/* Bytes of the name of the module that serves one. */
#define CORE_PROTOCOL_NAME_MAX 64

/* The server's own options: the top level of the file. */
struct core_conf {
	const char *const *listen;
	const char *const *proxy_listen; /* of listen; each needs a header */
	const char *const *proxy_from;
	int64_t protocol; /* enum core_protocol */
	const char *keys;
	const char *status_srv;
	const char *private_srv;
	const char *const *private_hosts;
	const char *const *modules;
	const char *const *module_dir; /* none: those of the program */
	int64_t workers;               /* 0: as many as CPUs are available */
	int64_t network_buffer;
	int64_t pipe_size;
	int64_t socket_buffer;  /* 0: as the kernel sizes them */
	int64_t session_memory; /* see kernel_memory_bound() */
	int64_t answer_timeout_ms;
	int64_t max_connections; /* 0: 80 % of the descriptor limit */
	const char *user;        /* "": the user who starts it */
	const char *group;       /* "": the user's own */
	bool core_dumps;
	bool sandbox;
	int64_t crypto;           /* enum core_crypto */
	int64_t drain_timeout_ms; /* 0: without limit */
	int64_t drain_spread_ms;
	int64_t upgrade_timeout_ms;
	int64_t stop_grace_ms;
	bool debug;
	bool pprof; /* accepted for compatibility, without effect */
	/* The words of `listen`, and then the sections; made from options, see
	 * config_listeners.h. */
	struct core_listener *listeners; /* owned array */
	size_t listener_count;
};

extern const struct relay_option core_options[]; /* ended by RELAY_OPT_END */

/* What a module brings to the schema. */
struct config_module {
	const char *name;
	const struct relay_option *options; /* NULL: none */
	size_t conf_size;
	/* Its option table is unknown: any option is accepted in its section,
	 * and only `required` is read. */
	bool opaque;
};

/* The action that the command line asks for. */
enum config_action {
	CONFIG_RUN,
	CONFIG_CHECK,   /* -check */
	CONFIG_MODULES, /* -modules: lists them on stdout, exit 0 */
	CONFIG_CTL,     /* -ctl: gives a command to a running server */
	CONFIG_HEALTH,  /* -health: asks a running server whether it is well */
	CONFIG_VERSION, /* -version: one line on stdout, exit 0 */
	CONFIG_HELP,    /* usage was printed to stderr, exit 0 */
	CONFIG_USAGE,   /* message and usage were printed to stderr, exit 2 */
};

/* Called once for each problem; the text names the place. */
typedef void config_report_fn(
	enum relay_level level, const char *text, void *arg);

#endif

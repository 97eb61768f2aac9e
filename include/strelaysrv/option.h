/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Options: one table is the schema, the defaults, the limits and the manual.
 *
 * From the table come the module's section of strelaysrv.conf and its checks,
 * the command-line flags, -help, and the sample configuration.  The values
 * land in a struct of the module's own, at the offsets that the table names.
 */
#ifndef RELAY_OPTION_H
#define RELAY_OPTION_H

#include <stddef.h>
#include <stdint.h>

struct relay_ctx;

enum relay_option_type {
	RELAY_BOOL,     /* bool:    yes no true false on off 1 0 */
	RELAY_INT,      /* int64_t: 10, 0x10, 1_000 */
	RELAY_SIZE,     /* int64_t, bytes: 65536, 64KiB, 1.5MB */
	RELAY_RATE,     /* int64_t, bytes/s: 10MB/s, 100Mbit/s; 0: no limit */
	RELAY_DURATION, /* int64_t, milliseconds: 90s, 1h30m, 500ms */
	RELAY_STRING,   /* const char *, never NULL */
	RELAY_CHOICE,   /* int64_t, index of the word in `choices` */
	RELAY_LIST,     /* const char *const *, NULL-terminated */
};

/* The value is left out of everything that prints options. */
#define RELAY_OPTION_SECRET 1U
/*
 * What runs cannot take a change: a reload says so and goes on, and cx->conf
 * keeps the old value until the module, or the server, starts again.
 */
#define RELAY_OPTION_RESTART 2U
/*
 * Of a string or list that keeps somebody out: a file or flag that sets it must
 * not leave it empty, as "${VARIABLE}" does when there is no such variable.
 */
#define RELAY_OPTION_FILLED 4U
/*
 * The option protects the relay or its users.  A configuration that sets it for
 * a module that does not run is refused.  RELAY_OPTION_FILLED implies it.
 */
#define RELAY_OPTION_GUARD 8U

struct relay_option {
	const char *name; /* as in the file, words joined by '-' */
	enum relay_option_type type;
	size_t offset;
	const char *def;  /* as one would write it; lists: comma-separated */
	int64_t min;      /* of numbers, in the unit stored; of strings and */
	int64_t max;      /* lists the length; both 0: any */
	const char *help; /* one line: what it does, not its type */
	/*
	 * The flag that sets it beside -SECTION.NAME, without the dash.  Meant
	 * for the flags that strelaysrv has always had; NULL: none.
	 */
	const char *flag;
	/*
	 * For options whose flag is a bare number of some unit in the
	 * original (-nat-lease 60 are minutes): that unit, "m"; NULL: none.
	 */
	const char *flag_unit;
	const char *const *choices; /* RELAY_CHOICE: NULL-terminated */
	uint32_t flags;             /* RELAY_OPTION_... */
	/*
	 * Not NULL: the name is deprecated, and this one of the same table has
	 * taken its place, with the same field, type, default and bounds.  The
	 * old one still sets it, with a warning that names the new one, and is
	 * shown nowhere but in -help and -modules.
	 */
	const char *successor;
};

/*
 * One row of a table: RELAY_OPT(struct conf, field, int64_t, "name",
 * RELAY_INT, "10", 1, 100, "help", .flag = "name").  A field whose type is not
 * `ctype` is a compiler warning.
 */
#define RELAY_OPT(T, field, ctype, name_, kind, def_, min_, max_, ...)         \
	{                                                                      \
		.name = (name_), .type = (kind),                               \
		.offset = offsetof(T, field) +                                 \
			  0 * sizeof(&((T *)0)->field == (ctype *)0),          \
		.def = (def_), .min = (min_), .max = (max_),                   \
		.help = __VA_ARGS__                                            \
	}
#define RELAY_OPT_END                                                          \
	{                                                                      \
		.name = NULL                                                   \
	}

/* A value in force, whatever its type. */
struct relay_value {
	const struct relay_option *option; /* borrowed, as long as the module */
	int64_t number;                    /* all but strings and lists */
	const char *string;      /* RELAY_STRING, and the word of a choice */
	const char *const *list; /* RELAY_LIST */
	const char *origin;      /* "default", "flag -x", "FILE:LINE" */
};

/*
 * The value of another module's option, or of the server's own with section
 * NULL.  [C]  Borrowed: valid until the callback returns.  0, or -1 when there
 * is no such option among the modules that run.
 */
int relay_option_get(struct relay_ctx *cx, const char *section,
	const char *name, struct relay_value *out);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Options: one table defines names, types, defaults, limits and help texts.
 *
 * The server uses the table to check the module's section of strelaysrv.conf,
 * to define the command-line flags, and for -help.  It stores the values in a
 * struct of the module, at the offsets in the table.
 */
#ifndef RELAY_OPTION_H
#define RELAY_OPTION_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/* The value is never printed. */
#define RELAY_OPTION_SECRET 1U
/*
 * A change needs a restart: a reload logs that and continues, and cx->conf
 * keeps the old value until the module or the server starts again.
 */
#define RELAY_OPTION_RESTART 2U
/*
 * For a string or list that restricts access: a file or flag that sets it must
 * not set it to the empty value, as "${VARIABLE}" does if that variable does
 * not exist.
 */
#define RELAY_OPTION_FILLED 4U
/*
 * The option protects the relay or its users.  A configuration that sets it for
 * a module that does not run is refused.  RELAY_OPTION_FILLED implies it.
 */
#define RELAY_OPTION_GUARD 8U
/*
 * -help shows the flag `flag` among the basics, which come first: for what
 * nearly every operator has to decide.
 */
#define RELAY_OPTION_BASIC 16U
/*
 * For a string: the path of a file that the module writes.  The sandbox then
 * lets the server write in the folder of that file, even if it is one of the
 * system's, such as /etc.
 */
#define RELAY_OPTION_WRITTEN 32U

struct relay_option {
	const char *name; /* as in the file, words joined by '-' */
	enum relay_option_type type;
	size_t offset;
	const char *def; /* as in the file; lists: comma-separated */
	int64_t min;     /* numbers: in stored units; strings and lists: */
	int64_t max; /* the length; both 0: any; max < min: no upper bound */
	const char *help; /* one line: what it does, not its type */
	/*
	 * A second flag that sets it, besides -SECTION.NAME; without the dash.
	 * For the flags of the Go strelaysrv.  NULL: none.
	 */
	const char *flag;
	/*
	 * The unit of that flag if the Go strelaysrv takes a number without a
	 * unit: "m" for -nat-lease 60, which means 60 minutes.  NULL: none.
	 */
	const char *flag_unit;
	const char *const *choices; /* RELAY_CHOICE: NULL-terminated */
	uint32_t flags;             /* RELAY_OPTION_... */
	/*
	 * Not NULL: this option is deprecated, and `successor` is the new name
	 * in the same table, with the same field, type, default and bounds.
	 * The old name still sets the value, with a warning that gives the new
	 * one.  Only -help and -modules show the old name.
	 */
	const char *successor;
};

/*
 * One row of a table: RELAY_OPT(struct conf, field, int64_t, "name",
 * RELAY_INT, "10", 1, 100, "help", .flag = "name").  A field whose type is not
 * `ctype` is a compiler warning.
 */
/* clang-format off */ /* whose versions differ */
#define RELAY_OPT(T, field, ctype, name_, kind, def_, min_, max_, ...)         \
	{                                                                      \
		.name = (name_), .type = (kind),                               \
		.offset = offsetof(T, field) +                                 \
			  0 * sizeof(&((T *)0)->field == (ctype *)0),          \
		.def = (def_), .min = (min_), .max = (max_),                   \
		.help = __VA_ARGS__                                            \
	}
#define RELAY_OPT_END {.name = NULL}
/* clang-format on */

/* The current value of an option of any type. */
struct relay_value {
	const struct relay_option *option; /* borrowed, as long as the module */
	int64_t number;                    /* all but strings and lists */
	const char *string;      /* RELAY_STRING, and the word of a choice */
	const char *const *list; /* RELAY_LIST */
	const char *origin;      /* "default", "flag -x", "FILE:LINE" */
};

/*
 * Gets the value of another module's option, or of the server's own with
 * section NULL.  [C] Borrowed: valid until the callback returns.  Returns 0, or
 * -1 if no module that runs, or in `advise` would run, has that option.
 */
int relay_option_get(struct relay_ctx *cx, const char *section,
	const char *name, struct relay_value *out);

#ifdef __cplusplus
}
#endif

#endif

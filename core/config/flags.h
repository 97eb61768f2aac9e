/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The command line, in the syntax of Go's flag package: -x v, -x=v, --x v,
 * --x=v, and -x alone for booleans.
 */
#ifndef FLAGS_H
#define FLAGS_H

#include <stddef.h>
#include <stdio.h>

#include "config/schema.h"

/* A flag that was given. */
struct flag_value {
	const char *section; /* NULL: the server's own; borrowed */
	const struct relay_option *option; /* borrowed from the table */
	char *text;                        /* owned */
	char *as_given;  /* "-global-rate", for messages; owned */
	bool deprecated; /* the name is an old one */
};

struct flag; /* see flag_table.h */

struct flags {
	enum config_action action;
	char *conf; /* -conf FILE; NULL: not given; owned */
	bool conf_given;
	char *conf_before; /* the -conf before it; NULL: none; owned */
	/* After -ctl: the command, borrowed from argv; the array is owned. */
	const char **words;
	size_t word_count;
	bool json, draining; /* -json, -draining */
	/* one for each option: the last that was given */
	struct flag_value *values;
	size_t count;
	/* The missing module of one of the given flags; NULL: none;
	 * borrowed. */
	const char *missing;
};

/*
 * Looks only for -module-dir: the module directories must be known before the
 * modules' own flags can be parsed.  Comma-separated; borrowed from argv; NULL:
 * not given.
 */
const char *flags_module_dir(int argc, char *const argv[]);
/* The same for -conf. */
const char *flags_conf(int argc, char *const argv[]);

/*
 * Parses all flags.  Values of known options are checked against their table.
 * Flags of modules that are not installed (pools, nat, global-rate and others,
 * see reserved_flags.h) are checked, too.  If one of them asks for something,
 * that is an error with exit code 1 that names the module.  `dirs`: where
 * modules were looked for, for that message.  Messages and usage go to `err`.
 *
 * Returns 0 to continue with out->action (also CONFIG_HELP), else the exit
 * code: 2 for an unknown flag or an invalid value, 1 without memory, and for a
 * text of wrong length, which the Go server found only later.  In both cases
 * flags_free() may be called.
 */
int flags_parse(int argc, char *const argv[], const struct config_module *mods,
	size_t n, const char *dirs, struct flags *out, FILE *err);
void flags_free(struct flags *flags);

/*
 * -help: every flag with its type, help and default, in groups: "basics",
 * "server", and one for each module.  `topic`: the group to show; NULL, "" or
 * a boolean: all.  Returns 0, or the exit code 2 after a message that there is
 * no such group; `dirs` is for that message.
 */
int flags_usage(const struct config_module *mods, size_t n, const char *topic,
	const char *dirs, FILE *out);
/* The group of a flag; borrowed from the flag. */
const char *flags_topic(const struct flag *flag);

#endif

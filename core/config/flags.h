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

/* One flag as given. */
struct flag_value {
	const char *section; /* NULL: the server's own; borrowed */
	const struct relay_option *option; /* borrowed from the table */
	char *text;                        /* owned */
	char *as_given;  /* "-global-rate", for messages; owned */
	bool deprecated; /* that name is one of before */
};

struct flags {
	enum config_action action;
	char *conf; /* -conf FILE; NULL: not given; owned */
	bool conf_given;
	char *module_dir; /* -module-dir LIST; NULL: not given; owned */
	struct flag_value *values; /* the last of each option, and no other */
	size_t count;
	/* Has a flag that was given, and is not among those that flags_parse()
	 * knew; NULL: there is none; borrowed. */
	const char *missing;
};

/*
 * The directories of modules, comma-separated, must be known before the flags
 * that modules bring can be read: looks only for -module-dir.  Borrowed from
 * argv; NULL: not given.
 */
const char *flags_module_dir(int argc, char *const argv[]);
/* The same for -conf. */
const char *flags_conf(int argc, char *const argv[]);

/*
 * Parses all.  Values of known options are checked by their table; flags that
 * belong to modules which are not there (pools, nat, global-rate ...: see
 * reserved_flags.h) are checked too, and are an error of exit code 1 that names
 * the module unless they ask for nothing.  `dirs` is where modules were looked
 * for, as that message tells it.  Messages and usage go to `err`.
 * Returns 0 to go on with out->action (also CONFIG_HELP), else the exit code: 2
 * for what is no flag or no value, 1 for a text of the wrong length, which the
 * Go server found only later.  Either way flags_free() may be called.
 */
int flags_parse(int argc, char *const argv[], const struct config_module *mods,
	size_t n, const char *dirs, struct flags *out, FILE *err);
void flags_free(struct flags *flags);

/* -help: every flag with its type, help and default. */
void flags_usage(const struct config_module *mods, size_t n, FILE *out);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * All flags by name: the server's, the modules', and the reserved ones.
 */
#ifndef FLAG_TABLE_H
#define FLAG_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/schema.h"
#include "config/reserved_flags.h"

#define FLAG_NAME_CHARACTERS                                                   \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* Flags that do not set an option. */
enum flag_special {
	FLAG_OPTION, /* the flag sets an option */
	FLAG_CHECK,
	FLAG_CONF,
	FLAG_CTL,
	FLAG_DRAINING,
	FLAG_HEALTH,
	FLAG_HELP,
	FLAG_JSON,
	FLAG_MODULES,
	FLAG_VERSION,
};

struct flag {
	char *name; /* without the dash; owned */
	enum flag_special special;
	const char *section;               /* of a module's option; borrowed */
	const struct relay_option *option; /* never NULL; borrowed */
	bool long_form;                    /* -SECTION.NAME */
	bool deprecated; /* an old name; `option` is its successor */
	/* Not NULL: no installed module has this flag, and `reserved` names the
	 * module that would have it. */
	const struct reserved_flag *reserved;
};

struct flag_table {
	struct flag *flags; /* sorted by name within short and long forms */
	size_t count;
};

/* Names and values are borrowed from mods.  0, or -1 without memory. */
int flag_table_make(
	const struct config_module *mods, size_t n, struct flag_table *out);
void flag_table_free(struct flag_table *table);
/* Finds a flag by the first `len` characters of name.  NULL: none. */
const struct flag *flag_table_find(
	const struct flag_table *table, const char *name, size_t len);
/* A flag of the module that a name like MODULE.OPTION begins with; NULL: there
 * is none. */
const struct flag *flag_table_of_section(
	const struct flag_table *table, const char *name);
/* The most similar name, or NULL; borrowed from the table. */
const char *flag_table_suggest(
	const struct flag_table *table, const char *name);

/*
 * How many of the first `len` characters of an argument, without its dashes,
 * may be printed: what follows a name, or the name of a flag that takes a
 * secret, or the beginning of one, may be a part of a secret; but a name with a
 * small mistake is printed whole.  *secret: the flag of the whole name, which
 * is borrowed from the table; NULL: none.  It may be NULL.
 */
size_t flag_table_printable(const struct flag_table *table, const char *word,
	size_t len, const struct flag **secret);

/* A boolean does not take the next argument as its value. */
static inline bool flag_is_bool(const struct flag *flag)
{
	return flag->option->type == RELAY_BOOL;
}

#endif

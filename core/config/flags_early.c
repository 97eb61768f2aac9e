/* SPDX-License-Identifier: MPL-2.0 */

/* Flags whose values are needed before all flags are known. */

#include <string.h>

#include "config/flag_table.h"
#include "config/flags.h"

static const char *find_early(int argc, char *const argv[], const char *wanted)
{
	struct flag_table table;
	const char *found = NULL;

	if (flag_table_make(NULL, 0, &table))
		return NULL;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *name = argv[i];
		const struct flag *flag;
		size_t len;

		if (name[0] != '-')
			continue;
		name += name[1] == '-' ? 2 : 1;
		len = strcspn(name, "=");
		flag = flag_table_find(&table, name, len);
		/*
		 * It is not known here whether a module's flag takes the next
		 * argument.  So an argument that looks like one of these flags
		 * is taken as one.
		 */
		if (!flag || flag_is_bool(flag))
			continue;
		if (strcmp(flag->name, wanted) == 0)
			found = name[len]      ? name + len + 1
				: i + 1 < argc ? argv[i + 1]
					       : NULL;
		i += name[len] == '\0';
	}
	flag_table_free(&table);
	return found;
}

const char *flags_module_dir(int argc, char *const argv[])
{
	return find_early(argc, argv, "module-dir");
}

const char *flags_conf(int argc, char *const argv[])
{
	return find_early(argc, argv, "conf");
}

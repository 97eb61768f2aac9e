/* SPDX-License-Identifier: MPL-2.0 */

/* Refuses pipes where libraries expect files. */

#include <stdlib.h>
#include <sys/stat.h>

#include "life/environment_files.h"

/* The path in TZ; NULL: it has none that is complete. */
static const char *zone_path(void)
{
	const char *zone = getenv("TZ");

	if (zone && zone[0] == ':')
		zone++;
	return zone && zone[0] == '/' ? zone : NULL;
}

int environment_files_check(FILE *out)
{
	const struct {
		const char *name, *path;
	} files[] = {
		{"TZ", zone_path()}, {"OPENSSL_CONF", getenv("OPENSSL_CONF")}};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct stat st;

		if (!files[i].path || stat(files[i].path, &st) != 0 ||
			!S_ISFIFO(st.st_mode))
			continue;
		(void)fprintf(out,
			"strelaysrv: the variable %s names %s, which is a "
			"pipe: it must be a file\n",
			files[i].name, files[i].path);
		return -1;
	}
	return 0;
}

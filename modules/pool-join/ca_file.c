/* SPDX-License-Identifier: MPL-2.0 */

#include <stdlib.h>
#include <string.h>

#include "ca_file.h"
#include "state.h"

#define SIZE_MOST 1048576 /* the system's own file has 220 kB */

int ca_file_read(const void *values, void **files, struct relay_err *err)
{
	const struct conf *conf = values;
	const char *called = "ca-file", *path = conf->ca_file;
	struct relay_file *file;
	struct relay_err why;

	*files = NULL;
	if (!*path && conf->pools[0]) {
		called = "SSL_CERT_FILE";
		path = getenv(called);
	}
	if (!path || !*path)
		return 0;
	file = calloc(1, sizeof(*file));
	if (!file)
		return relay_fail(err, "out of memory");
	if (relay_file_read(path, SIZE_MOST, file, &why) != 0)
		(void)relay_fail(err, "%s: %s", called, why.text);
	else if (!strstr(file->text, "-----BEGIN CERTIFICATE-----") &&
		 !strstr(file->text, "-----BEGIN TRUSTED CERTIFICATE-----"))
		(void)relay_fail(err,
			"%s: %.150s has no certificate; write certificates "
			"in PEM",
			called, path);
	else {
		*files = file;
		return 0;
	}
	ca_file_free(file);
	return -1;
}

void ca_file_free(void *files)
{
	if (files)
		relay_file_free(files);
	free(files);
}

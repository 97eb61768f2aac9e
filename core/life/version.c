/* SPDX-License-Identifier: MPL-2.0 */

/* The line that -version prints and the log begins with. */

#include <stdio.h>
#include <stdlib.h>

#include <strelaysrv/server.h>

#include "life/version.h"

#define NAME "strelaysrv"

void version_line(char *out, size_t cap)
{
	const struct relay_build *b = relay_build();

	snprintf(out, cap, NAME " %s (%s, %s-%s) %s@%s %s", b->version,
		b->compiler, b->os, b->arch, b->user, b->host, b->date);
}

int version_print(void)
{
	char line[512];

	version_line(line, sizeof(line));
	if (puts(line) == EOF || fflush(stdout) != 0)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}

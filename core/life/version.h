/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The line that -version prints and the log begins with, in the Go server's
 * form: "strelaysrv v1.2.3 (gcc 12.2.0, linux-amd64) user@host date".
 */
#ifndef VERSION_H
#define VERSION_H

#include <stddef.h>

void version_line(char *out, size_t cap);
/* To stdout.  Returns the exit code. */
int version_print(void);

#endif

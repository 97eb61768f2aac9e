/* SPDX-License-Identifier: MPL-2.0 */

/* Looks for the credential. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "relay/devices/token_credential.h"

int token_credential_find(char *path, size_t size, struct relay_err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	struct stat st;

	*path = '\0';
	if (!dir || !*dir)
		return 0;
	/* Were a directory that is gone taken for one without a token, a reload
	 * would open the relay to everybody. */
	if (stat(dir, &st) != 0)
		return relay_fail(err, "cannot open the credentials in %s: %s",
			dir, strerror(errno));
	if ((size_t)snprintf(path, size, "%s/token", dir) >= size)
		return relay_fail(err, "CREDENTIALS_DIRECTORY is too long");
	if (lstat(path, &st) == 0)
		return 0;
	if (errno != ENOENT)
		return relay_fail(err, "cannot look for the credential %s: %s",
			path, strerror(errno));
	*path = '\0';
	return 0;
}

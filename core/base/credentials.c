/* SPDX-License-Identifier: MPL-2.0 */

/* Looks for the files of credentials. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/credentials.h"

const char *credentials_dir(void)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	return dir && *dir ? dir : NULL;
}

int credentials_have(const char *name, bool *found, struct relay_err *err)
{
	const char *dir = credentials_dir();
	struct stat st;
	int fd, error;

	*found = false;
	if (!dir)
		return 0;
	/* Were a directory that is gone taken for one without credentials, a
	 * reload would drop what they protect. */
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return relay_fail(err, "cannot open the credentials in %s: %s",
			dir, strerror(errno));
	*found = fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	error = *found ? 0 : errno;
	(void)close(fd);
	if (*found || error == ENOENT)
		return 0;
	return relay_fail(err, "cannot look for the credential %s in %s: %s",
		name, dir, strerror(error));
}

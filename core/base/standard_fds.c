/* SPDX-License-Identifier: MPL-2.0 */

/* Opens descriptors that the process was started without. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/standard_fds.h"

int standard_fds_open(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int got;

		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/* open(2) takes the lowest free number. */
		got = open("/dev/null", O_RDWR);
		/* If there is no /dev/null, any descriptor will do on which
		 * reads and writes fail: it only has to take the number. */
		if (got < 0)
			got = open("/", O_PATH);
		if (got != fd)
			return -1;
	}
	return 0;
}

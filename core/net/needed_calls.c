/* SPDX-License-Identifier: MPL-2.0 */

/* Tries the system calls without which no peer can be served. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/needed_calls.h"

int needed_calls_check(struct relay_err *err)
{
	const char *refused = NULL;
	char byte = 0;
	int pair[2], error;

	/* If there is no such pair, the server does without. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		    pair) != 0)
		return 0;
	if (send(pair[0], &byte, 1, MSG_NOSIGNAL) != 1)
		refused = "send(2)";
	else if (recv(pair[1], &byte, 1, 0) != 1)
		refused = "recv(2)";
	error = errno;
	(void)close(pair[0]);
	(void)close(pair[1]);
	if (!refused)
		return 0;
	return relay_fail(err,
		"%s is refused: %s; without it nobody could be served", refused,
		strerror(error));
}

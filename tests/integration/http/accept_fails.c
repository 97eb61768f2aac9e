/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Preloaded: accept4() fails with the errno ACCEPT_ERRNO the first few times,
 * on each listening socket.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#define TIMES 5

static atomic_int failed[1024];

int accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	const char *number = getenv("ACCEPT_ERRNO");
	int (*real)(int, struct sockaddr *, socklen_t *, int);

	if (number && fd >= 0 && fd < 1024 &&
		atomic_fetch_add(&failed[fd], 1) < TIMES) {
		errno = atoi(number);
		return -1;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "accept4");
	return real(fd, from, len, flags);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Plays another user who may write to the folder of a Unix socket: as soon as
 * it is made, a link to the file PLANTED_LINK is in its place. */

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

__attribute__((visibility("default"))) int bind(
	int fd, const struct sockaddr *address, socklen_t len)
{
	static int (*next)(int, const struct sockaddr *, socklen_t);
	const char *target = getenv("PLANTED_LINK");
	const struct sockaddr_un *local = (const void *)address;
	int result;

	if (!next)
		next = (__typeof__(next))dlsym(RTLD_NEXT, "bind");
	result = next(fd, address, len);
	if (result == 0 && target && address->sa_family == AF_UNIX &&
		local->sun_path[0] && unlink(local->sun_path) == 0 &&
		symlink(target, local->sun_path) != 0)
		abort();
	return result;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Moves the monotonic clocks of a process on, by the seconds (64 bits, native
 * byte order) in the file LATER_BY, which a test changes meanwhile. */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The C library's name of the call where a time of 64 bits is not the usual
 * one. */
#if defined(__TIMESIZE) && __TIMESIZE == 32 &&                                 \
	(defined(__USE_TIME_BITS64) || defined(__USE_TIME64_REDIRECTS))
#define CALL "__clock_gettime64"
#else
#define CALL "clock_gettime"
#endif

static const volatile int64_t *by;

__attribute__((constructor)) static void map_file(void)
{
	const char *path = getenv("LATER_BY");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *file;

	if (fd < 0)
		return;
	file = mmap(NULL, sizeof(*by), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (file == MAP_FAILED)
		abort();
	by = file;
}

__attribute__((visibility("default"))) int clock_gettime(
	clockid_t clock, struct timespec *out)
{
	static int (*next)(clockid_t, struct timespec *);
	int result;

	if (!next)
		next = (__typeof__(next))dlsym(RTLD_NEXT, CALL);
	result = next(clock, out);
	if (result == 0 && by &&
		(clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE ||
			clock == CLOCK_BOOTTIME))
		out->tv_sec += (time_t)*by;
	return result;
}

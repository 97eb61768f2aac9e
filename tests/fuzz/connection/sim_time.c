/* SPDX-License-Identifier: MPL-2.0 */

/* Simulated time, random numbers, and failures. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

/* The wall clock is this far ahead of the other: 2020-09-13. */
#define WALL_S INT64_C(600000000)

static _Thread_local bool here;
/* Later than any real time since a boot: a real thread that waits until a
 * simulated time waits for as long as it takes. */
int64_t sim_us = INT64_C(1000000000) * 1000000;
int64_t sim_us_per_look;
size_t sim_splice_most = SIZE_MAX;
uint64_t sim_failed;
bool sim_trace;

static uint64_t random_state;
static struct {
	int error; /* 0: nothing fails */
	unsigned after;
	enum sim_call call;
} failure;

void sim_enter(void)
{
	here = true;
}

void sim_leave(void)
{
	here = false;
}

bool sim_here(void)
{
	return here;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
	int64_t us;

	if (!here)
		return (int)syscall(SYS_clock_gettime, clock, out);
	sim_us += sim_us_per_look;
	us = sim_us;
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		us += WALL_S * 1000000;
	out->tv_sec = (time_t)(us / 1000000);
	out->tv_nsec = (long)(us % 1000000 * 1000);
	return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

void sim_seed(uint64_t seed)
{
	random_state = seed;
}

uint64_t sim_random(void)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

ssize_t getrandom(void *to, size_t len, unsigned flags)
{
	unsigned char *out = to;

	if (!here)
		return syscall(SYS_getrandom, to, len, flags);
	for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
		uint64_t piece = sim_random();
		size_t n = len - at < sizeof(piece) ? len - at : sizeof(piece);

		memcpy(out + at, &piece, n);
	}
	return (ssize_t)len;
}

/* OpenSSL's default generator begins with this. */
int getentropy(void *to, size_t len)
{
	return getrandom(to, len, 0) == (ssize_t)len ? 0 : -1;
}

void sim_fail(enum sim_call call, int error, unsigned after)
{
	failure.call = call;
	failure.error = error;
	failure.after = after;
}

void sim_fail_none(void)
{
	failure.error = 0;
}

int sim_fails(enum sim_call call)
{
	int error = failure.error;

	if (!here || !error || failure.call != call || failure.after-- > 0)
		return 0;
	failure.error = 0;
	sim_failed++;
	return error;
}

/* The linker sends the calls of the core here, not those of libraries. */
void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_malloc(size_t len)
{
	int error = sim_fails(SIM_MALLOC);

	if (!error)
		return __real_malloc(len);
	errno = error;
	return NULL;
}

void *__real_calloc(size_t count, size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_calloc(size_t count, size_t len)
{
	int error = sim_fails(SIM_MALLOC);

	if (!error)
		return __real_calloc(count, len);
	errno = error;
	return NULL;
}

void *sim_alloc(size_t len)
{
	void *out = __real_malloc(len);

	if (!out)
		sim_die("out of memory");
	return memset(out, 0, len);
}

void sim_die(const char *format, ...)
{
	va_list ap;

	here = false;
	(void)fputs("connection: ", stderr);
	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	abort();
}

/* SPDX-License-Identifier: MPL-2.0 */

/* How this binary was built, when it was started, and the wall clock. */

#include <stdatomic.h>
#include <time.h>

#include <strelaysrv/server.h>
#include <strelaysrv/thread.h>

/* From core/CMakeLists.txt. */
#include "build_stamp.h"

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

#if defined(__clang__)
#define COMPILER                                                               \
	"clang " TEXT(__clang_major__) "." TEXT(__clang_minor__) "." TEXT(     \
		__clang_patchlevel__)
#elif defined(__GNUC__)
#define COMPILER                                                               \
	"gcc " TEXT(__GNUC__) "." TEXT(__GNUC_MINOR__) "." TEXT(               \
		__GNUC_PATCHLEVEL__)
#else
#define COMPILER "cc"
#endif

/* Go's names of architectures, since dashboards expect them. */
#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__i386__)
#define ARCH "386"
#elif defined(__aarch64__)
#define ARCH "arm64"
#elif defined(__arm__)
#define ARCH "arm"
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH "riscv64"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCH "ppc64le"
#elif defined(__powerpc64__)
#define ARCH "ppc64"
#elif defined(__s390x__)
#define ARCH "s390x"
#elif defined(__loongarch64)
#define ARCH "loong64"
#elif defined(__mips64) && defined(__MIPSEL__)
#define ARCH "mips64le"
#elif defined(__mips64)
#define ARCH "mips64"
#elif defined(__mips__) && defined(__MIPSEL__)
#define ARCH "mipsle"
#elif defined(__mips__)
#define ARCH "mips"
#else
#define ARCH "unknown"
#endif

static const struct relay_build build = {
	.version = BUILD_VERSION,
	.date = BUILD_DATE,
	.host = BUILD_HOST,
	.user = BUILD_USER,
	.compiler = COMPILER,
	.os = "linux",
	.arch = ARCH,
};

/* If the clock has moved by this much, it was set. */
#define CLOCK_SET_US 60000000

/* Global: a process starts once, even if it has several servers. */
static _Atomic int64_t start_us;
static int64_t start_boot_us, start_mono_ms;

static int64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	/* Fails only for clocks that do not exist. */
	(void)clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Runs before main(), so that the values are set before any caller reads them.
 */
__attribute__((constructor)) static void note_start(void)
{
	start_us = clock_us(CLOCK_REALTIME);
	start_boot_us = clock_us(CLOCK_BOOTTIME);
	start_mono_ms = clock_us(CLOCK_MONOTONIC) / 1000;
}

const struct relay_build *relay_build(void)
{
	return &build;
}

/*
 * Boards without a battery start in 1970, and their clock is set later: then
 * the time of the start moves as well.  It does not follow small corrections,
 * since a change looks like a restart.
 */
int64_t relay_start_us(void)
{
	int64_t known = start_us, since = clock_us(CLOCK_REALTIME) -
					  clock_us(CLOCK_BOOTTIME) +
					  start_boot_us;

	if (since - known > CLOCK_SET_US || known - since > CLOCK_SET_US)
		start_us = known = since;
	return known;
}

int64_t relay_uptime_ms(void)
{
	return clock_us(CLOCK_MONOTONIC) / 1000 - start_mono_ms;
}

int64_t relay_wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

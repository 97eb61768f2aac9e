/* SPDX-License-Identifier: MPL-2.0 */

/* How this binary was built. */

#include <strelaysrv/server.h>

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

const struct relay_build *relay_build(void)
{
	return &build;
}

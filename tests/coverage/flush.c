/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Only in builds of the type Coverage: a process that ends without exit(3)
 * writes its counts, too.  The linker turns the server's calls of _exit, raise
 * and syscall into those of the __wrap_ functions, and __real_raise into the
 * original.
 */

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "counts.h"

_Noreturn void __wrap__exit(int status);
int __wrap_raise(int number);
int __real_raise(int number);
long __wrap_syscall(
	long number, long a, long b, long c, long d, long e, long f);
long __real_syscall(long number, ...);

/* Each module has counts of its own (module.c). */
static int dump_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	void *object = *info->dlpi_name ? dlopen(info->dlpi_name,
						  RTLD_LAZY | RTLD_NOLOAD)
					: NULL;
	void *found = object ? dlsym(object, "coverage_dump") : NULL;
	void (*dump)(void);

	(void)size;
	(void)arg;
	memcpy(&dump, &found, sizeof(dump));
	if (dump)
		dump();
	return 0;
}

static void dump_all(void)
{
	__gcov_dump();
	(void)dl_iterate_phdr(dump_object, NULL);
}

void __wrap__exit(int status)
{
	dump_all();
	/* Not _exit(): the server's archive has one, which would bring most of
	 * the server into every unit test. */
	for (;;)
		(void)__real_syscall(SYS_exit_group, status);
}

int __wrap_raise(int number)
{
	dump_all();
	return __real_raise(number);
}

/* The server ends by SYS_exit_group where a module has called _exit(). */
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (number == SYS_exit_group)
		dump_all();
	return __real_syscall(number, a, b, c, d, e, f);
}

/* It runs last at quick_exit(), since it is registered first. */
__attribute__((constructor)) static void dump_at_quick_exit(void)
{
	(void)at_quick_exit(dump_all);
}

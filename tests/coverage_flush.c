/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Only in builds of the type Coverage: a process that ends without exit(3)
 * writes its counts, too.  The linker turns the server's calls of _exit, raise
 * and syscall into those of the __wrap_ functions, and __real_raise into the
 * original.
 */

#include <gcov.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

_Noreturn void __wrap__exit(int status);
int __wrap_raise(int number);
int __real_raise(int number);
long __wrap_syscall(
	long number, long a, long b, long c, long d, long e, long f);
long __real_syscall(long number, ...);

void __wrap__exit(int status)
{
	__gcov_dump();
	/* Not _exit(): the server's archive has one, which would bring most of
	 * the server into every unit test. */
	for (;;)
		(void)__real_syscall(SYS_exit_group, status);
}

int __wrap_raise(int number)
{
	__gcov_dump();
	return __real_raise(number);
}

/* The server ends by SYS_exit_group where a module has called _exit(). */
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (number == SYS_exit_group)
		__gcov_dump();
	return __real_syscall(number, a, b, c, d, e, f);
}

/* It runs last at quick_exit(), since it is registered first. */
__attribute__((constructor)) static void dump_at_quick_exit(void)
{
	(void)at_quick_exit(__gcov_dump);
}

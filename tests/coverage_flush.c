/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Only in builds of the type Coverage: a process that ends without exit(3)
 * writes its counts, too.  The linker turns calls of _exit and raise into those
 * of the __wrap_ functions, and __real_raise into the original.
 */

#include <gcov.h>
#include <sys/syscall.h>
#include <unistd.h>

_Noreturn void __wrap__exit(int status);
int __wrap_raise(int number);
int __real_raise(int number);

void __wrap__exit(int status)
{
	__gcov_dump();
	/* Not _exit(): the server's archive has one, which would bring most of
	 * the server into every unit test. */
	for (;;)
		(void)syscall(SYS_exit_group, status);
}

int __wrap_raise(int number)
{
	__gcov_dump();
	return __real_raise(number);
}

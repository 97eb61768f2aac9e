/* SPDX-License-Identifier: MPL-2.0 */

/* on_exit(), which is an extension of glibc, or atexit(). */

#include <stddef.h>
#include <stdlib.h>

#include "loop/at_exit.h"

/* Global: the functions of atexit() have no argument. */
static at_exit_fn *called;

#ifdef HAVE_ON_EXIT
static void exiting(int code, void *arg)
{
	(void)arg;
	called(code);
}

int at_exit(at_exit_fn *fn)
{
	called = fn;
	return on_exit(exiting, NULL) == 0 ? 0 : -1;
}
#else
static void exiting(void)
{
	called(-1);
}

int at_exit(at_exit_fn *fn)
{
	called = fn;
	return atexit(exiting) == 0 ? 0 : -1;
}
#endif

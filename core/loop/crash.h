/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The report of a fatal signal: which one, on which thread, in which module.
 */
#ifndef CRASH_H
#define CRASH_H

struct relay_ctx;

/* Name and version of the module whose context it is; neither is NULL, and both
 * live as long as the process.  Called in a signal handler. */
typedef void crash_describe_fn(
	const struct relay_ctx *cx, const char **name, const char **version);

/*
 * Installs the handlers of SIGSEGV, SIGBUS, SIGABRT, SIGFPE and SIGILL, and the
 * calling thread's stack for them.  They write one line to stderr and hand on
 * to whoever was there before, so that core dumps, exit statuses and reports of
 * sanitizers are as without them.  Main thread, once.  0 or -1 with errno.
 */
int crash_init(crash_describe_fn *fn);

/*
 * The calling thread's alternate signal stack, without which the overflow of
 * its own stack could not be reported.  0 or -1 with errno.
 */
int crash_thread_init(void);

#endif

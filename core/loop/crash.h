/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The report of a fatal signal, or of a call of exit(), quick_exit() or _exit()
 * that nobody expects: the signal or the call, its thread, and whose code ran.
 */
#ifndef CRASH_H
#define CRASH_H

#include <stdint.h>

struct relay_ctx;

/* Gets the name and version of the module that the context belongs to.  Neither
 * is NULL; both live as long as the process.  Called in a signal handler. */
typedef void crash_describe_fn(
	const struct relay_ctx *cx, const char **name, const char **version);

/* From now on exit() is expected.  Before that, a call of it is reported like a
 * fatal signal. */
void crash_leave(void);

/*
 * Writes the line for the end that a call such as exit() causes, unless that is
 * expected, a line was written already, or this is a child of the process.
 * `code`: the exit code; below 0: unknown.  `pc`: an address in the caller's
 * code; 0: unknown.  Safe in a signal handler.
 */
void crash_tell_exit(const char *call, int code, uintptr_t pc);

/* Sets the path of the module file that this thread opens, whose code then
 * runs; NULL: none.  Borrowed. */
void crash_opening(const char *path);

/*
 * Installs the handlers of SIGSEGV, SIGBUS, SIGABRT, SIGFPE and SIGILL, and the
 * calling thread's stack for them.  They write one line to stderr, then call
 * the previous handlers, so that core dumps, exit statuses and reports of
 * sanitizers do not change.  Main thread, once.  0, or -1 with errno.
 */
int crash_init(crash_describe_fn *fn);

/*
 * Sets an alternate signal stack for the calling thread, without which an
 * overflow of its stack could not be reported.  0, or -1 with errno.
 */
int crash_thread_init(void);

#endif

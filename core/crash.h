/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The last words: which signal, on which thread, and which module was running.
 */
#ifndef CRASH_H
#define CRASH_H

/*
 * Installs the handlers of SIGSEGV, SIGBUS, SIGABRT, SIGFPE and SIGILL, and the
 * calling thread's stack for them.  They write one line to stderr and hand on
 * to whoever was there before, so that core dumps, exit statuses and reports of
 * sanitizers are as without them.  Main thread, once.  0 or -1 with errno.
 */
int crash_init(void);

/*
 * The calling thread's alternate signal stack, without which the overflow of
 * its own stack could not be reported.  0 or -1 with errno.
 */
int crash_thread_init(void);

#endif

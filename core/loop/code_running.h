/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Which module's code a loop's thread runs, also if the server has not called
 * it: a module may have events of its own on the loop.
 *
 * The thread is asked by SIGURG, whose handler looks at its registers and its
 * stack.  A signal interrupts some system calls, so ask only a thread that
 * hangs.  The default action of SIGURG is to do nothing, so one that comes
 * late or from elsewhere does no harm.
 */
#ifndef CODE_RUNNING_H
#define CODE_RUNNING_H

struct code_owner;
struct loop;

/* Installs the handler, which belongs to the process.  [C]  0, or -1 with
 * errno. */
int code_running_init(void);
/*
 * Waits for the answer for a tenth of a second at most.  NULL: the server's own
 * code, or not known, such as on a thread that is blocked in the kernel.  By
 * one thread at a time, which is not the loop's.
 */
const struct code_owner *code_running(const struct loop *loop);

#endif

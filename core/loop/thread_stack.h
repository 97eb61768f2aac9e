/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The size of threads' stacks.  The C library would take the limit `ulimit -s`,
 * which may be 64 KiB, too little for a TLS handshake, or a gigabyte for each
 * thread.
 */
#ifndef THREAD_STACK_H
#define THREAD_STACK_H

/* Enough for TLS, and for what resolves names. */
#define THREAD_STACK_BYTES (2U << 20)

/* Also for threads that libraries start.  0, or an errno. */
int thread_stack_default(void);

#endif

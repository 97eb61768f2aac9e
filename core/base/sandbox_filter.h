/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Makes the program of the filter of system calls, with libseccomp.
 */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

#include <sys/types.h>

/*
 * Writes it to `fd`: an array of struct sock_filter.  `needs` are bits of
 * sandbox.h, and `pid` is the process that it is for.  0, or -1, and then
 * nothing was written.  Without memory, libseccomp crashes (2.5.4 does): call
 * it in a child process.
 */
int sandbox_filter_make(unsigned needs, pid_t pid, int fd);

#endif

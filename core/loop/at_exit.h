/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A function that is called by exit(), with the code.
 */
#ifndef AT_EXIT_H
#define AT_EXIT_H

/* `code` is -1 where the C library does not tell it. */
typedef void at_exit_fn(int code);

/* Main thread, once.  0, or -1 without memory. */
int at_exit(at_exit_fn *fn);

#endif

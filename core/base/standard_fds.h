/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Descriptors 0, 1 and 2.
 */
#ifndef STANDARD_FDS_H
#define STANDARD_FDS_H

/*
 * Opens those that are closed, on /dev/null.  Otherwise a socket would get such
 * a number, and its peer what is written to stderr.  Call it before anything
 * else is opened.  0, or -1 with errno.
 */
int standard_fds_open(void);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The kernel's random numbers (getrandom(2)).
 */
#ifndef TLS_RANDOM_H
#define TLS_RANDOM_H

#include <stddef.h>

/* Fills `out`; waits until the kernel has random numbers.  Any thread.  0, or
 * -1 with errno. */
int tls_random_fill(unsigned char *out, size_t len);

#endif

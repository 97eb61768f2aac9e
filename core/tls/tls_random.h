/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The kernel's random numbers as an algorithm of OpenSSL.
 *
 * OpenSSL's own generators expand what they get from the kernel; to make one,
 * all ciphers there are get looked up, and each thread keeps two.
 */
#ifndef TLS_RANDOM_H
#define TLS_RANDOM_H

#include <stddef.h>

#include <openssl/core.h>

#define TLS_RANDOM "GETRANDOM"

/* Of OSSL_OP_RAND; ended by zeros. */
extern const OSSL_ALGORITHM tls_random[];

/* The same numbers without OpenSSL, any thread.  0, or -1 with errno. */
int tls_random_fill(unsigned char *out, size_t len);

#endif

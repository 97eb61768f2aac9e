/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The kernel's random numbers (getrandom(2)) as an OpenSSL algorithm.
 *
 * OpenSSL's own generators expand what they get from the kernel.  To make one,
 * OpenSSL looks up all ciphers, and each thread keeps two generators.
 */
#ifndef TLS_RANDOM_H
#define TLS_RANDOM_H

#include <stddef.h>

#include <openssl/core.h>

#define TLS_RANDOM "GETRANDOM"

/* For OSSL_OP_RAND; ended by zeros. */
extern const OSSL_ALGORITHM tls_random[];

/* Fills `out` with the same numbers without OpenSSL.  Any thread.  0, or -1
 * with errno. */
int tls_random_fill(unsigned char *out, size_t len);

#endif

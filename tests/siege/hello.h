/* SPDX-License-Identifier: MPL-2.0 */

/* hello.h - ClientHellos as bytes, for attackers that need no TLS after them.
 */
#ifndef HELLO_H
#define HELLO_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#define HELLO_MAX       4096
#define HELLO_ANNOUNCES 131000 /* the announced length of the large one */

/*
 * A complete record with a valid ClientHello for one key-exchange group (an
 * OpenSSL NID).  Returns its length, or 0.
 */
size_t hello_make(SSL_CTX *tls, int group, uint8_t *out, size_t size);

/*
 * Records that announce and contain a ClientHello of HELLO_ANNOUNCES bytes,
 * without the last byte.  Returns malloc()ed bytes, or NULL.
 */
uint8_t *hello_make_large(size_t *len);

#endif

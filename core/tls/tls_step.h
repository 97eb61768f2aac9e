/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One step of a handshake: how much it may read, and why it refuses the peer.
 *
 * OpenSSL reads records until a message is complete, and each record costs two
 * system calls: 64 KiB in records of one byte would block a worker for 10 ms.
 * After TLS_STEP_READS reads, OpenSSL is told that no more data has arrived,
 * and the rest waits for the connection's next step.  The state of a step is
 * thread-local.
 */
#ifndef TLS_STEP_H
#define TLS_STEP_H

#include <stdbool.h>

#include <openssl/bio.h>

#include "tls/tls_failure.h"

/* A usual handshake reads at most 14 times. */
#define TLS_STEP_READS 128

/* [C]  Counts reads of all connections that use this BIO. */
void tls_step_watch(BIO *io);
/* [W]  Call these before and after SSL_do_handshake(). */
void tls_step_begin(void);
/* Returns whether the step was cut short: data in the socket waits for another
 * step. */
bool tls_step_end(void);
/* Call it when a ClientHello has been read: ends the step's reading, since a
 * second ClientHello must be checked first (see tls_hello.h). */
void tls_step_cut(void);
/* Records that what the peer sent is refused, and why. */
void tls_step_refuse(enum tls_failure why);
/* Whether anything was refused since tls_step_begin(), and the last reason. */
bool tls_step_refused(enum tls_failure *why);

#endif

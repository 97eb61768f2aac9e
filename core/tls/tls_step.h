/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One step of a handshake: how much it may read, and why it refuses the peer.
 *
 * OpenSSL reads records until a message is complete, and each costs two system
 * calls: 64 KiB of records with one byte each would hold a worker for 10 ms.
 * After TLS_STEP_READS reads it is told that nothing is there yet, and the rest
 * waits for its turn.  What is known of a step belongs to the calling thread.
 */
#ifndef TLS_STEP_H
#define TLS_STEP_H

#include <stdbool.h>

#include <openssl/bio.h>

#include "tls/tls_failure.h"

/* The records of a usual handshake take 14 at most. */
#define TLS_STEP_READS 128

/* For connections that use this BIO.  [C] */
void tls_step_watch(BIO *io);
/* Around SSL_do_handshake().  [W] */
void tls_step_begin(void);
/* Whether it was cut short: what is in the socket is for another step. */
bool tls_step_end(void);
/*
 * A ClientHello has been read.  What follows is for another step, since a
 * second one must be looked at first (see tls_hello.h).
 */
void tls_step_cut(void);
/* What the peer has sent is refused for that reason. */
void tls_step_refuse(enum tls_failure why);
/* Whether anything was, since tls_step_begin(), and why the last time. */
bool tls_step_refused(enum tls_failure *why);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * ChaCha20-Poly1305 that keeps only the key between records.
 *
 * OpenSSL keeps the cipher's working state, 848 bytes for each direction, as
 * long as the connection lives.  The key and a record's nonce determine all of
 * it.  So this cipher makes the state for each record, and frees it after the
 * record's tag.  The wrapped provider's own code does the computing.
 */
#ifndef TLS_CHACHA_H
#define TLS_CHACHA_H

#include <openssl/core.h>

/*
 * [C]  Wraps the functions of `beneath`.  provctx is the context of their
 * provider, which must stay loaded.  Returns a dispatch table for the same
 * algorithm, or NULL if a function that it needs is missing.  Only for TLS: an
 * update without a new nonce is refused, and a tag can be read only once.  One
 * table for the process: a further call changes it.
 */
const OSSL_DISPATCH *tls_chacha_over(
	const OSSL_DISPATCH *beneath, void *provctx);

#endif

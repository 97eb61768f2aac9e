/* SPDX-License-Identifier: MPL-2.0 */

/*
 * ChaCha20-Poly1305 that keeps nothing but the key from record to record.
 *
 * OpenSSL holds the cipher's working state, 848 bytes each way, as long as the
 * connection lives.  All of it follows from the key and the record's nonce, so
 * here it is made for each record and given back behind its tag.  What computes
 * is the given provider's own code.
 */
#ifndef TLS_CIPHER_H
#define TLS_CIPHER_H

#include <openssl/core.h>

/*
 * [C]  Takes the functions beneath, and the context of their provider, which
 * stays loaded.  Returns a dispatch table for the same algorithm; NULL if
 * functions that it needs are not there.  Only for TLS: an update without a new
 * nonce is refused, and a tag can be read once.
 */
const OSSL_DISPATCH *tls_cipher_over(
	const OSSL_DISPATCH *beneath, void *provctx);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * ECDSA on the curve P-384 by Nettle, for OpenSSL.
 *
 * Keys that Syncthing and its relay made are of this curve.  OpenSSL 3.0 has
 * only general arithmetic for it and takes 0.6 ms to sign, 0.5 ms to verify;
 * Nettle takes a sixth and a third of that.  All else, other curves included,
 * is left to the functions beneath.
 */
#ifndef TLS_ECDSA_H
#define TLS_ECDSA_H

#include <openssl/core.h>
#include <openssl/types.h>

/*
 * [C]  Takes the functions of ECDSA and those of EC keys of one provider, and
 * the context whose digests serve; all stay as long as what is returned: a
 * dispatch table for the same algorithm, or NULL if functions that it needs are
 * not there.
 */
const OSSL_DISPATCH *tls_ecdsa_over(const OSSL_DISPATCH *beneath,
	const OSSL_DISPATCH *keys, OSSL_LIB_CTX *libctx);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * ECDSA on the curve P-384 by Nettle, for OpenSSL.
 *
 * Syncthing and its relay make keys on this curve.  OpenSSL 3.0 has only
 * generic arithmetic for it: signing takes 0.64 ms and verifying 0.58 ms.
 * Nettle takes a sixth and a half of that (CRYPTOGRAPHY.md).  The wrapped
 * functions do everything else, including other curves.
 */
#ifndef TLS_ECDSA_H
#define TLS_ECDSA_H

#include <openssl/core.h>
#include <openssl/types.h>

/*
 * [C]  Wraps the functions `beneath` of one provider's ECDSA.  `keys` are the
 * same provider's functions for EC keys; digests are fetched in libctx.  All
 * three must live as long as the dispatch table that is returned, which is for
 * the same algorithm.  NULL if a function that it needs is missing.  One table
 * for the process: a further call changes it.
 */
const OSSL_DISPATCH *tls_ecdsa_over(const OSSL_DISPATCH *beneath,
	const OSSL_DISPATCH *keys, OSSL_LIB_CTX *libctx);

#endif

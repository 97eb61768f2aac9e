/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The server's identity: a certificate, its key, and the device ID, which is
 * the certificate's hash.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <strelaysrv/device_id.h>

struct identity {
	X509 *cert;             /* owned */
	STACK_OF(X509) * chain; /* further certificates of cert.pem, which the
				 * server does not send; owned */
	EVP_PKEY *key;          /* owned */
	uint8_t id[RELAY_DEVICE_ID_LEN]; /* SHA-256 of the certificate's DER */
	bool made; /* identity_load() has made the pair, since there was none */
	mode_t key_mode; /* permission bits of key.pem */
	/* The OpenSSL library context that the certificates and the key belong
	 * to; borrowed; NULL: the default one. */
	OSSL_LIB_CTX *libctx;
};

/* Accepts an identity that is all zero. */
void identity_finish(struct identity *identity);

#endif

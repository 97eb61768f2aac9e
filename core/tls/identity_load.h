/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Loads the server's identity from cert.pem and key.pem, or makes them.
 */
#ifndef IDENTITY_LOAD_H
#define IDENTITY_LOAD_H

#include <openssl/types.h>

#include <strelaysrv/err.h>

struct identity;
struct identity_new;

/*
 * Loads cert.pem and key.pem from the directory `dir`, for the library context
 * libctx (NULL: OpenSSL's default); makes a pair as `fresh` says, only if
 * neither exists.  If one is missing, unreadable or incomplete, or they do not
 * match, that is an error that names the file.  No file is ever overwritten.
 * Accepts ECDSA, RSA and Ed25519 keys as PKCS#8, PKCS#1 and SEC1.  0, or -1
 * with err filled.
 */
int identity_load(struct identity *identity, const char *dir,
	OSSL_LIB_CTX *libctx, const struct identity_new *fresh,
	struct relay_err *err);
/* Loads an existing pair and never makes one: if there is none, returns 0 with
 * identity->cert NULL. */
int identity_look(struct identity *identity, const char *dir,
	OSSL_LIB_CTX *libctx, struct relay_err *err);

#endif

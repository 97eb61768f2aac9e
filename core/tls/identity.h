/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The server's identity: cert.pem and key.pem, and the device ID they make.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/err.h>

struct identity {
	X509 *cert;             /* owned */
	STACK_OF(X509) * chain; /* further certificates of cert.pem; owned */
	EVP_PKEY *key;          /* owned */
	uint8_t id[RELAY_DEVICE_ID_LEN]; /* SHA-256 of the certificate's DER */
	bool made;                       /* just now, since there was none */
	mode_t key_mode;                 /* permission bits of key.pem */
};

/* Who the files of a new pair belong to. */
struct identity_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * Loads cert.pem and key.pem from the directory `dir`; makes a pair only if
 * neither exists.  One that is unreadable, torn, or does not fit the other is
 * an error that names the file; nothing is ever overwritten.  Accepts ECDSA,
 * RSA and Ed25519 keys as PKCS#8, PKCS#1 and SEC1.  `name` becomes the common
 * name of a new certificate.  0, or -1 with err filled.
 */
int identity_load(struct identity *identity, const char *dir, const char *name,
	struct relay_err *err);
/* The same; a new pair is handed to `owner`, if that is not NULL. */
int identity_load_for(struct identity *identity, const char *dir,
	const char *name, const struct identity_owner *owner,
	struct relay_err *err);
/* Loads a pair that is there; makes none, and then identity->cert is NULL. */
int identity_look(
	struct identity *identity, const char *dir, struct relay_err *err);
/* Whether the certificates that follow the first are the same. */
bool identity_same_chain(const struct identity *a, const struct identity *b);
/* Accepts an identity that is all zero. */
void identity_finish(struct identity *identity);

#endif

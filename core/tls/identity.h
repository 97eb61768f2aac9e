/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The server's identity: cert.pem, key.pem, and the device ID, which is the
 * certificate's hash.
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
	bool made;       /* by this load, since there was none */
	mode_t key_mode; /* permission bits of key.pem */
};

/* The owner of the files of a new pair. */
struct identity_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * Loads cert.pem and key.pem from the directory `dir`; makes a pair only if
 * neither exists.  If one is missing, unreadable or incomplete, or they do not
 * match, that is an error that names the file.  No file is ever overwritten.
 * Accepts ECDSA, RSA and Ed25519 keys as PKCS#8, PKCS#1 and SEC1.  `name`
 * becomes the common name of a new certificate.  0, or -1 with err filled.
 */
int identity_load(struct identity *identity, const char *dir, const char *name,
	struct relay_err *err);
/* The same; the files of a new pair get the owner `owner`, if that is not
 * NULL. */
int identity_load_for(struct identity *identity, const char *dir,
	const char *name, const struct identity_owner *owner,
	struct relay_err *err);
/* Loads an existing pair and never makes one: if there is none, returns 0 with
 * identity->cert NULL. */
int identity_look(
	struct identity *identity, const char *dir, struct relay_err *err);
/* Whether both have the same certificates after the first one. */
bool identity_same_chain(const struct identity *a, const struct identity *b);
/* Accepts an identity that is all zero. */
void identity_finish(struct identity *identity);

#endif

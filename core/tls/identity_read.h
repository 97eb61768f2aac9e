/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Reads the two files of an identity, PEM as whatever program wrote it.
 */
#ifndef IDENTITY_READ_H
#define IDENTITY_READ_H

#include <stddef.h>

#include <openssl/types.h>

#include <strelaysrv/err.h>

struct identity;
struct identity_owner;

#define IDENTITY_CERT_FILE "cert.pem"
#define IDENTITY_KEY_FILE  "key.pem"

/* The directory of the files. */
struct identity_dir {
	int fd;           /* borrowed */
	const char *name; /* for errors; borrowed */
	/* Of files that are made; NULL: as the process makes them. */
	const struct identity_owner *owner;
};

/* [C]  Where what is read from now on lives; NULL: OpenSSL's own context. */
void identity_use(OSSL_LIB_CTX *libctx);
OSSL_LIB_CTX *identity_context(void);

/*
 * Each fills its part of identity: the first certificate and the chain after
 * it; the first private key, of PKCS#8, PKCS#1 or SEC1.  Other PEM blocks are
 * passed over.  Anything but a regular file of 1 to 262,144 bytes is refused,
 * so is a file that breaks off within a block; an encrypted key is refused
 * without asking for a pass phrase.
 *
 * Return 0, or -1 with err naming the file and identity in need of
 * identity_finish().
 */
int identity_read_certs(struct identity *identity,
	const struct identity_dir *dir, struct relay_err *err);
int identity_read_key(struct identity *identity, const struct identity_dir *dir,
	struct relay_err *err);

#endif

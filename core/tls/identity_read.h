/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Reads the two files of an identity.  Any program may have written the PEM.
 */
#ifndef IDENTITY_READ_H
#define IDENTITY_READ_H

#include <strelaysrv/err.h>

struct identity;
struct identity_dir;

/*
 * Each fills its part of identity, in the library context identity->libctx: the
 * first certificate and the chain after it; the first private key, as PKCS#8,
 * PKCS#1 or SEC1.  Other PEM blocks are skipped.  Refused are: anything but a
 * regular file of 1 to 262,144 bytes, a file that ends within a block, and an
 * encrypted key, without asking for a pass phrase.
 *
 * Return 0, or -1 with err, which names the file; the caller must then call
 * identity_finish().
 */
int identity_read_certs(struct identity *identity,
	const struct identity_dir *dir, struct relay_err *err);
int identity_read_key(struct identity *identity, const struct identity_dir *dir,
	struct relay_err *err);

#endif

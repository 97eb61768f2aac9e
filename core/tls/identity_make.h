/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A new identity: its two files, made where there were none.
 */
#ifndef IDENTITY_MAKE_H
#define IDENTITY_MAKE_H

#include <strelaysrv/err.h>

struct identity_dir;

/*
 * Makes an ECDSA P-256 key and a self-signed certificate with the common name
 * `name` (a host name of at most 64 characters), valid for 20 years, and puts
 * them into the directory.  Each file
 * appears complete or not at all, and never in the place of another.  If the
 * machine dies between the two, there is a key without a certificate.
 *
 * Returns 0, or -1 with err filled and nothing left behind.
 */
int identity_make(const struct identity_dir *dir, const char *name,
	struct relay_err *err);

#endif

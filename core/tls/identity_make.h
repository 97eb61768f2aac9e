/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Makes the two files of a new identity.
 */
#ifndef IDENTITY_MAKE_H
#define IDENTITY_MAKE_H

#include <sys/types.h>

#include <strelaysrv/err.h>

struct identity_dir;

struct identity_owner {
	uid_t uid;
	gid_t gid;
};

struct identity_new {
	/* The certificate's common name, a host name of at most 64
	 * characters. */
	const char *name;
	/* Of the files; NULL: the process's user and group. */
	const struct identity_owner *owner;
};

/*
 * Makes an ECDSA P-256 key and a self-signed certificate, valid for 20 years,
 * and writes them into the directory.  Each file appears complete or not at
 * all, and never replaces another.  If the machine crashes between the two, a
 * key without a certificate remains.
 *
 * Returns 0, or -1 with err filled and no file left behind.
 */
int identity_make(const struct identity_dir *dir,
	const struct identity_new *fresh, struct relay_err *err);

#endif

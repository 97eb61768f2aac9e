/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The directory with the two files of an identity.
 */
#ifndef IDENTITY_DIR_H
#define IDENTITY_DIR_H

#define IDENTITY_CERT_FILE "cert.pem"
#define IDENTITY_KEY_FILE  "key.pem"

struct identity_dir {
	int fd;           /* borrowed */
	const char *name; /* for errors; borrowed */
};

#endif

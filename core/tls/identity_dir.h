/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The directory with the two files of an identity.
 */
#ifndef IDENTITY_DIR_H
#define IDENTITY_DIR_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IDENTITY_CERT_FILE "cert.pem"
#define IDENTITY_KEY_FILE  "key.pem"

struct identity_dir {
	int fd;           /* borrowed */
	const char *name; /* for errors; borrowed */
};

#define IDENTITY_WHY 120

/* What errno says; of missing rights also whose: a container may have chosen
 * the user. */
static inline const char *identity_why(char text[IDENTITY_WHY])
{
	int error = errno;

	if (error != EACCES)
		return strerror(error);
	(void)snprintf(text, IDENTITY_WHY,
		"%s; it must be allowed to user %u or group %u",
		strerror(error), (unsigned)geteuid(), (unsigned)getegid());
	return text;
}

#endif

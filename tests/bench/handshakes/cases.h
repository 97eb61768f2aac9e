/* SPDX-License-Identifier: MPL-2.0 */

/* cases.h - one case for each choice of a stranger in a handshake. */
#ifndef CASES_H
#define CASES_H

#include <stddef.h>

#include <openssl/ssl.h>

/* Either a real client, or bytes that are sent once. */
struct handshake_case {
	const char *name;
	/* [own]  A context with version, groups and certificate; NULL: bytes.
	 */
	SSL_CTX *client;
	unsigned char *bytes; /* owned */
	size_t len;
};

/*
 * Called for each case, which is freed afterwards.  A value other than 0 stops.
 */
typedef int case_fn(const struct handshake_case *one, void *arg);

/* A device with a key on P-256 and a key share for X25519 in TLS 1.3. */
SSL_CTX *case_reference(void);
/* The last result of case_fn, or -1 if a case could not be created. */
int cases_visit_groups(case_fn *fn, void *arg);
int cases_visit_certificates(case_fn *fn, void *arg);
int cases_visit_hellos(case_fn *fn, void *arg);

#endif

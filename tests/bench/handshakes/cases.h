/* SPDX-License-Identifier: MPL-2.0 */

/*
 * cases.h - what a stranger can choose in a handshake, one case for each.
 */
#ifndef CASES_H
#define CASES_H

#include <stddef.h>

#include <openssl/ssl.h>

/* Either a client that does its part, or bytes that are sent once. */
struct handshake_case {
	const char *name;
	/* [own]  A context with version, groups and certificate; NULL: bytes.
	 */
	SSL_CTX *client;
	unsigned char *bytes; /* owned */
	size_t len;
};

/* Called for each case, which is freed behind it.  Not 0 ends the round. */
typedef int case_fn(const struct handshake_case *one, void *arg);

/* Of a device with a key on P-256 and a share of X25519 in TLS 1.3. */
SSL_CTX *case_reference(void);
/* What case_fn returned last, or -1 if a case could not be made. */
int cases_visit_groups(case_fn *fn, void *arg);
int cases_visit_certificates(case_fn *fn, void *arg);
int cases_visit_hellos(case_fn *fn, void *arg);

#endif

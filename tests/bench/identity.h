/* SPDX-License-Identifier: MPL-2.0 */

/* identity.h - creates many device identities quickly. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#define IDENTITY_ID_LEN 32

struct identity {
	X509 *certificate;
	EVP_PKEY *key; /* shared by all identities of a set */
	uint8_t id[IDENTITY_ID_LEN];
	size_t more; /* how many times the certificate is sent again */
};

/*
 * One key with a certificate per device.  The certificates differ only in their
 * serial number, and so do the IDs.  For the server this is the same as
 * different keys, and creating keys would take longer than the run.
 */
struct identities {
	struct identity *all;
	size_t count;
};

/*
 * The key's curve is P-384, as in Syncthing, or P-256.  Returns 0, or -1 with
 * the reason on stderr and nothing to finish.
 */
int identities_make(struct identities *out, size_t count, bool p384);
void identities_finish(struct identities *identities);

#endif

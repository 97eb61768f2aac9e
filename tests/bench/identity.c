/* SPDX-License-Identifier: MPL-2.0 */

/* Self-signed certificates like those of Syncthing. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "identity.h"

#define DAY_S 86400L

static int set_name(X509 *certificate)
{
	X509_NAME *name = X509_get_subject_name(certificate);

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		       (const unsigned char *)"syncthing", -1, -1, 0) &&
	       X509_set_issuer_name(certificate, name);
}

static X509 *make_certificate(EVP_PKEY *key, size_t serial)
{
	X509 *c = X509_new();

	if (c && X509_set_version(c, 2) && set_name(c) &&
		ASN1_INTEGER_set_uint64(
			X509_get_serialNumber(c), (uint64_t)serial + 1) &&
		X509_gmtime_adj(X509_getm_notBefore(c), -DAY_S) &&
		X509_gmtime_adj(X509_getm_notAfter(c), 365 * DAY_S) &&
		X509_set_pubkey(c, key) && X509_sign(c, key, EVP_sha256()))
		return c;
	X509_free(c);
	return NULL;
}

static int make_one(struct identity *out, EVP_PKEY *key, size_t serial)
{
	unsigned len = sizeof(out->id);

	out->certificate = make_certificate(key, serial);
	if (!out->certificate || !EVP_PKEY_up_ref(key))
		return -1;
	out->key = key;
	return X509_digest(out->certificate, EVP_sha256(), out->id, &len) ? 0
									  : -1;
}

int identities_make(struct identities *out, size_t count, bool p384)
{
	EVP_PKEY *key = EVP_EC_gen(p384 ? "P-384" : "P-256");
	int result = -1;

	out->count = 0;
	out->all = calloc(count ? count : 1, sizeof(*out->all));
	if (!key || !out->all)
		goto done;
	for (out->count = 0; out->count < count; out->count++) {
		if (make_one(&out->all[out->count], key, out->count))
			goto done;
	}
	result = 0;
done:
	if (result) {
		fprintf(stderr, "relay-load: cannot make certificates\n");
		identities_finish(out);
	}
	EVP_PKEY_free(key);
	return result;
}

void identities_finish(struct identities *identities)
{
	for (size_t i = 0; i < identities->count; i++) {
		X509_free(identities->all[i].certificate);
		EVP_PKEY_free(identities->all[i].key);
	}
	free(identities->all);
	memset(identities, 0, sizeof(*identities));
}

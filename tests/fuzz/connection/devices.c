/* SPDX-License-Identifier: MPL-2.0 */

/* The devices' keys, certificates and IDs. */

#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "client.h"
#include "devices.h"
#include "tls/tls_start.h"

static SSL_CTX *contexts[DEVICES + 1]; /* the last has no certificate */
static uint8_t ids[DEVICES][SHA256_DIGEST_LENGTH];

static void check(int ok)
{
	if (!ok)
		sim_die("cannot make the keys of a device");
}

static X509 *certificate(EVP_PKEY *key)
{
	X509 *cert = X509_new();

	check(cert != NULL);
	check(X509_set_version(cert, X509_VERSION_3) == 1);
	check(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1);
	check(X509_gmtime_adj(X509_getm_notBefore(cert), 0) != NULL);
	check(X509_gmtime_adj(X509_getm_notAfter(cert), 86400) != NULL);
	check(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
		      MBSTRING_ASC, (const unsigned char *)"syncthing", -1, -1,
		      0) == 1);
	check(X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1);
	check(X509_set_pubkey(cert, key) == 1);
	check(X509_sign(cert, key, NULL) > 0);
	return cert;
}

/* Ed25519: signatures are always the same, and as long as others. */
static EVP_PKEY *make_key(int number)
{
	const uint8_t secret[32] = {(uint8_t)(number + 1)};
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(
		EVP_PKEY_ED25519, NULL, secret, sizeof(secret));

	check(key != NULL);
	return key;
}

void devices_write_server(const char *folder)
{
	EVP_PKEY *key = make_key(DEVICES);
	X509 *cert = certificate(key);
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/cert.pem", folder);
	file = fopen(path, "w");
	check(file && PEM_write_X509(file, cert) == 1 && fclose(file) == 0);
	(void)snprintf(path, sizeof(path), "%s/key.pem", folder);
	file = fopen(path, "w");
	check(file &&
		PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) ==
			1 &&
		fclose(file) == 0);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void make(int device)
{
	EVP_PKEY *key = make_key(device);
	X509 *cert = certificate(key);
	unsigned len;

	check(X509_digest(cert, EVP_sha256(), ids[device], &len) == 1);
	check(SSL_CTX_use_certificate(contexts[device], cert) == 1);
	check(SSL_CTX_use_PrivateKey(contexts[device], key) == 1);
	X509_free(cert);
	EVP_PKEY_free(key);
}

void devices_begin(void)
{
	for (int i = 0; i <= DEVICES; i++) {
		contexts[i] = SSL_CTX_new_ex(
			tls_start_libctx(), NULL, TLS_client_method());
		check(contexts[i] != NULL);
		SSL_CTX_set_session_cache_mode(contexts[i], SSL_SESS_CACHE_OFF);
		if (i < DEVICES)
			make(i);
	}
}

void devices_end(void)
{
	for (int i = 0; i <= DEVICES; i++)
		SSL_CTX_free(contexts[i]);
}

SSL *device_tls(int device)
{
	static const unsigned char alpn[] = "\x09"
					    "bep-relay";
	SSL *ssl = SSL_new(contexts[device]);

	check(ssl != NULL);
	check(SSL_set_alpn_protos(ssl, alpn, sizeof(alpn) - 1) == 0);
	SSL_set_connect_state(ssl);
	return ssl;
}

const uint8_t *device_id(int device)
{
	return ids[device % DEVICES];
}

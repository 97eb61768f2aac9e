/* SPDX-License-Identifier: MPL-2.0 */

/* Cases of real clients: groups and certificates. */

#include <stdint.h>
#include <stdio.h>

#include <openssl/core_names.h>

#include "cases.h"
#include "certificates.h"

#define NAME_ROOM 80
/* As many as fit into the largest list of certificates that OpenSSL accepts. */
#define CHAIN_BYTES 15500

static SSL_CTX *client_of(
	int version, const char *groups, EVP_PKEY *key, X509 *cert)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	/* OpenSSL's macro drops const, and clang warns about it. */
	char *list = (char *)(uintptr_t)groups;

	if (!ctx)
		return NULL;
	SSL_CTX_set_security_level(ctx, 0);
	if (SSL_CTX_set_min_proto_version(ctx, version) == 1 &&
		SSL_CTX_set_max_proto_version(ctx, version) == 1 &&
		(!list || SSL_CTX_set1_groups_list(ctx, list) == 1) && key &&
		cert && SSL_CTX_use_certificate(ctx, cert) == 1 &&
		SSL_CTX_use_PrivateKey(ctx, key) == 1)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static SSL_CTX *usual(int version, const char *groups)
{
	EVP_PKEY *key = make_key("P-256");
	X509 *cert = key ? make_certificate(key, 1, 0) : NULL;
	SSL_CTX *ctx = client_of(version, groups, key, cert);

	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

SSL_CTX *case_reference(void)
{
	return usual(TLS1_3_VERSION, "X25519");
}

/* Owns the context from now on. */
static int visit(SSL_CTX *client, const char *name, case_fn *fn, void *arg)
{
	const struct handshake_case one = {name, client, NULL, 0};
	int done = fn(&one, arg);

	SSL_CTX_free(client);
	return done;
}

int cases_visit_groups(case_fn *fn, void *arg)
{
	/* In TLS 1.2, P-256 is added: the curve of the server's key. */
	static const struct {
		const char *name;
		int version;
	} rows[] = {
		{"X25519", TLS1_3_VERSION},
		{"X25519MLKEM768", TLS1_3_VERSION},
		{"P-256", TLS1_3_VERSION},
		{"P-384", TLS1_3_VERSION},
		{"P-521", TLS1_3_VERSION},
		{"X448", TLS1_3_VERSION},
		{"ffdhe2048", TLS1_3_VERSION},
		{"ffdhe3072", TLS1_3_VERSION},
		{"ffdhe4096", TLS1_3_VERSION},
		{"ffdhe6144", TLS1_3_VERSION},
		{"ffdhe8192", TLS1_3_VERSION},
		{"P-384:X25519", TLS1_3_VERSION},
		{"X25519:P-256", TLS1_2_VERSION},
		{"P-256", TLS1_2_VERSION},
		{"P-384:P-256", TLS1_2_VERSION},
		{"P-384", TLS1_2_VERSION},
		{"P-521", TLS1_2_VERSION},
		{"X448", TLS1_2_VERSION},
		{"brainpoolP512r1", TLS1_2_VERSION},
		{"sect571r1", TLS1_2_VERSION},
	};
	char name[NAME_ROOM];
	int done = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !done; i++) {
		SSL_CTX *client = usual(rows[i].version, rows[i].name);

		if (!client) /* the library does not support the group */
			continue;
		(void)snprintf(name, sizeof(name), "%s, exchange on %s",
			rows[i].version == TLS1_3_VERSION ? "1.3" : "1.2",
			rows[i].name);
		done = visit(client, name, fn, arg);
	}
	return done;
}

/* Owns the key; uses its certificate in both TLS versions. */
static int visit_key(EVP_PKEY *key, const char *kind, int names, int extensions,
	case_fn *fn, void *arg)
{
	X509 *cert = key ? make_certificate(key, names, extensions) : NULL;
	char name[NAME_ROOM];
	int done = cert ? 0 : -1;

	for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION && !done; v++) {
		SSL_CTX *client = client_of(v, NULL, key, cert);

		(void)snprintf(name, sizeof(name), "%s, certificate %s",
			v == TLS1_3_VERSION ? "1.3" : "1.2", kind);
		done = client ? visit(client, name, fn, arg) : -1;
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	return done;
}

/* Owns the key; its certificate fills the list. */
static int visit_chain(EVP_PKEY *key, const char *kind, case_fn *fn, void *arg)
{
	X509 *cert = key ? make_certificate(key, 0, 0) : NULL;
	SSL_CTX *client = cert ? usual(TLS1_3_VERSION, NULL) : NULL;
	int len = cert ? i2d_X509(cert, NULL) + 5 : 1, n;
	char name[NAME_ROOM];
	int done = client ? 0 : -1;

	for (n = 1; n * len < CHAIN_BYTES && !done; n++)
		done = SSL_CTX_add1_chain_cert(client, cert) == 1 ? 0 : -1;
	(void)snprintf(name, sizeof(name), "1.3, %d certificates %s", n, kind);
	if (!done)
		done = visit(client, name, fn, arg);
	else
		SSL_CTX_free(client);
	X509_free(cert);
	EVP_PKEY_free(key);
	return done;
}

static int visit_rsa(case_fn *fn, void *arg)
{
	static const int bits[] = {2048, 3072, 4096, 8192, 16384};
	char kind[NAME_ROOM / 2];
	int done = 0;

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]) && !done; i++) {
		(void)snprintf(kind, sizeof(kind), "RSA %d", bits[i]);
		done = visit_key(make_rsa(bits[i], false), kind, 1, 0, fn, arg);
	}
	if (!done)
		done = visit_key(make_rsa(2048, true),
			"RSA 2048, huge exponent", 1, 0, fn, arg);
	if (!done)
		done = visit_key(make_rsa(3072, true),
			"RSA 3072, huge exponent", 1, 0, fn, arg);
	return done;
}

int cases_visit_certificates(case_fn *fn, void *arg)
{
	static const char *const kinds[] = {"P-256", "P-384", "P-521",
		"ED25519", "ED448", "secp256k1", "secp224r1", "brainpoolP512r1",
		"sect571r1"};
	static const char *const curves[] = {
		"P-256", "P-384", "P-521", "secp224r1", "sect571r1"};
	static const char form[] = OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT;
	char kind[NAME_ROOM / 2];
	int done = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !done; i++)
		done = visit_key(make_key(kinds[i]), kinds[i], 1, 0, fn, arg);
	if (!done)
		done = visit_rsa(fn, arg);
	if (!done)
		done = visit_key(make_key("P-256"), "with a name of 600 parts",
			600, 0, fn, arg);
	if (!done)
		done = visit_key(make_key("P-256"), "with 450 extensions", 1,
			450, fn, arg);
	if (!done)
		done = visit_chain(make_key("P-256"), "on P-256", fn, arg);
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]) && !done;
		i++) {
		(void)snprintf(
			kind, sizeof(kind), "on %s, compressed", curves[i]);
		done = visit_chain(make_key_as(curves[i], form, "compressed"),
			kind, fn, arg);
	}
	if (!done)
		done = visit_chain(
			make_key_as("P-521", OSSL_PKEY_PARAM_EC_ENCODING,
				"explicit"),
			"on P-521, by its parameters", fn, arg);
	return done;
}

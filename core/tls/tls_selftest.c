/* SPDX-License-Identifier: MPL-2.0 */

/* Complete handshakes in memory, before any peer is served. */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include "tls/tls_records.h"
#include "tls/tls_selftest.h"

#define TURNS 16 /* a handshake takes four */

const char *const tls_key_words[TLS_KEY_KINDS + 1] = {[TLS_KEY_P384] = "p-384",
	[TLS_KEY_P256] = "p-256",
	[TLS_KEY_ED25519] = "ed25519",
	[TLS_KEY_RSA] = "rsa",
	[TLS_KEY_KINDS] = NULL};

static const int versions[] = {TLS1_3_VERSION, TLS1_2_VERSION};

#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

struct pair {
	SSL *server, *client; /* owned */
};

struct tls_selftest {
	struct pair pairs[VERSIONS];
	struct tls_records records; /* of the pair of TLS 1.3 */
	OSSL_LIB_CTX *libctx;       /* borrowed */
};

/* What the two sides of a handshake use. */
struct sides {
	SSL_CTX *ctx; /* borrowed; the others are owned */
	/* ctx has a certificate and key, and the server uses them */
	bool has_own;
	/* A context of its own: derived from the server's, it would lack the
	 * same algorithms. */
	SSL_CTX *client;
	X509 *cert;
	EVP_PKEY *key;
};

static X509 *read_cert(enum tls_key_kind kind, OSSL_LIB_CTX *libctx)
{
	const struct tls_selftest_cert *from = &tls_selftest_certs[kind];
	const unsigned char *at = from->der;
	X509 *cert = X509_new_ex(libctx, NULL);

	/* d2i_X509() frees cert and sets it to NULL if it fails. */
	if (cert)
		(void)d2i_X509(&cert, &at, (long)from->len);
	return cert;
}

/* Makes the key from numbers, since decoders for private keys are slow to set
 * up. */
static EVP_PKEY *make_key(const X509 *cert, OSSL_LIB_CTX *libctx)
{
	const ASN1_BIT_STRING *point = X509_get0_pubkey_bitstr(cert);
	char group[] = SN_X9_62_prime256v1;
	uint64_t scalar = tls_selftest_scalar;
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(
			OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group) - 1),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
			(void *)(uintptr_t)ASN1_STRING_get0_data(point),
			(size_t)ASN1_STRING_length(point)),
		OSSL_PARAM_uint64(OSSL_PKEY_PARAM_PRIV_KEY, &scalar),
		OSSL_PARAM_END};
	EVP_PKEY_CTX *cx = EVP_PKEY_CTX_new_from_name(libctx, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (cx && EVP_PKEY_fromdata_init(cx) == 1)
		(void)EVP_PKEY_fromdata(cx, &key, EVP_PKEY_KEYPAIR, params);
	EVP_PKEY_CTX_free(cx);
	return key;
}

/* Like devices, accepts any certificate. */
static SSL_CTX *client_context(OSSL_LIB_CTX *libctx)
{
	SSL_CTX *ctx = SSL_CTX_new_ex(libctx, NULL, TLS_client_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_security_level(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static int sides_make(struct sides *sides, OSSL_LIB_CTX *libctx)
{
	sides->client = client_context(libctx);
	sides->cert = read_cert(TLS_KEY_P256, libctx);
	if (sides->cert)
		sides->key = make_key(sides->cert, libctx);
	return sides->client && sides->key ? 0 : -1;
}

static void sides_free(struct sides *sides)
{
	SSL_CTX_free(sides->client);
	X509_free(sides->cert);
	EVP_PKEY_free(sides->key);
}

static SSL *new_side(SSL_CTX *ctx, bool has_own, const struct sides *sides)
{
	SSL *ssl = SSL_new(ctx);

	if (ssl &&
		(has_own || (SSL_use_certificate(ssl, sides->cert) == 1 &&
				    SSL_use_PrivateKey(ssl, sides->key) == 1)))
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static void pair_free(struct pair *pair)
{
	SSL_free(pair->server);
	SSL_free(pair->client);
	*pair = (struct pair){NULL, NULL};
}

static int connect_sides(struct pair *pair)
{
	BIO *server, *client;

	if (BIO_new_bio_pair(&server, 0, &client, 0) != 1)
		return -1;
	SSL_set_bio(pair->server, server, server);
	SSL_set_bio(pair->client, client, client);
	SSL_set_accept_state(pair->server);
	SSL_set_connect_state(pair->client);
	return 0;
}

static int pair_make(struct pair *pair, int version, const struct sides *sides)
{
	pair->server = new_side(sides->ctx, sides->has_own, sides);
	pair->client = new_side(sides->client, false, sides);
	return pair->server && pair->client &&
			       SSL_set_min_proto_version(
				       pair->client, version) == 1 &&
			       SSL_set_max_proto_version(
				       pair->client, version) == 1
		       ? connect_sides(pair)
		       : -1;
}

static void selftest_free(struct tls_selftest *selftest)
{
	for (size_t i = 0; selftest && i < VERSIONS; i++)
		pair_free(&selftest->pairs[i]);
	OPENSSL_clear_free(selftest, sizeof(*selftest));
}

static struct tls_selftest *selftest_new(
	SSL_CTX *ctx, bool has_own, OSSL_LIB_CTX *libctx)
{
	/* OpenSSL looks up the hash of certificates in the default library
	 * context. */
	OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(libctx);
	struct tls_selftest *selftest = OPENSSL_zalloc(sizeof(*selftest));
	struct sides sides = {.ctx = ctx, .has_own = has_own};
	bool good = selftest && sides_make(&sides, libctx) == 0;

	for (size_t i = 0; good && i < VERSIONS; i++)
		good = pair_make(&selftest->pairs[i], versions[i], &sides) == 0;
	if (good) {
		selftest->libctx = libctx;
		good = SSL_set_app_data(selftest->pairs[0].server,
			       &selftest->records) == 1;
	}
	sides_free(&sides);
	OSSL_LIB_CTX_set0_default(before);
	ERR_clear_error();
	if (good)
		return selftest;
	selftest_free(selftest);
	return NULL;
}

/* Whether the handshake can continue or is complete. */
static bool step(SSL *ssl)
{
	int done = SSL_do_handshake(ssl), why;

	if (done == 1)
		return true;
	why = SSL_get_error(ssl, done);
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static int pass_a_byte(SSL *from, SSL *to)
{
	char sent = 'x', got = 0;

	return SSL_write(from, &sent, 1) == 1 && SSL_read(to, &got, 1) == 1 &&
			       got == sent
		       ? 0
		       : -1;
}

static int do_handshake(struct pair *pair)
{
	for (int turn = 0; turn < TURNS; turn++) {
		if (!step(pair->client) || !step(pair->server))
			return -1;
		if (SSL_is_init_finished(pair->client) &&
			SSL_is_init_finished(pair->server))
			break;
	}
	return SSL_get0_peer_certificate(pair->server) &&
			       pass_a_byte(pair->server, pair->client) == 0 &&
			       pass_a_byte(pair->client, pair->server) == 0
		       ? 0
		       : -1;
}

/* Whether the server asked for signatures of that scheme (RFC 8446, section
 * 4.2.3). */
static bool is_wanted(SSL *client, unsigned scheme)
{
	unsigned char low, high;
	int count = SSL_get_sigalgs(client, 0, NULL, NULL, NULL, NULL, NULL);

	for (int i = 0; i < count; i++)
		if (SSL_get_sigalgs(client, i, NULL, NULL, NULL, &low, &high) >
				0 &&
			((unsigned)high << 8 | low) == scheme)
			return true;
	return false;
}

/* Bits of the kinds of keys that do not work: the context may lack a kind's
 * signature algorithm. */
static unsigned pair_run(struct pair *pair)
{
	static const unsigned schemes[TLS_KEY_KINDS] = {[TLS_KEY_P384] = 0x0503,
		[TLS_KEY_P256] = 0x0403,
		[TLS_KEY_ED25519] = 0x0807,
		[TLS_KEY_RSA] = 0x0804}; /* PSS, which TLS 1.3 requires */
	unsigned failed = 0;

	if (do_handshake(pair) != 0)
		return TLS_KEY_ALL;
	for (enum tls_key_kind kind = 0; kind < TLS_KEY_KINDS; kind++)
		if (!is_wanted(pair->client, schemes[kind]))
			failed |= 1U << kind;
	return failed;
}

/*
 * Whether signatures of that kind can be verified; tries the certificate's own.
 * For P-384 it only initializes the verification: the rest is slow, and loads
 * nothing more.
 */
static bool verifies(enum tls_key_kind kind, OSSL_LIB_CTX *libctx)
{
	X509 *cert = read_cert(kind, libctx);
	EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool good = key && hash;

	if (good && kind == TLS_KEY_P384)
		good = EVP_DigestVerifyInit_ex(hash, NULL, "SHA2-384", libctx,
			       NULL, key, NULL) == 1;
	else if (good)
		good = X509_verify(cert, key) == 1;
	EVP_MD_CTX_free(hash);
	X509_free(cert);
	return good;
}

unsigned tls_selftest_keys_check(OSSL_LIB_CTX *libctx)
{
	unsigned failed = 0;

	for (enum tls_key_kind kind = 0; kind < TLS_KEY_KINDS; kind++) {
		/* Our RSA key is too short for FIPS 140; devices' keys are
		 * not. */
		if (kind == TLS_KEY_RSA &&
			EVP_default_properties_is_fips_enabled(libctx))
			continue;
		/* The handshakes use P-256. */
		if (kind != TLS_KEY_P256 && !verifies(kind, libctx))
			failed |= 1U << kind;
	}
	ERR_clear_error();
	return failed;
}

struct tls_selftest *tls_selftest_new(SSL_CTX *ctx, OSSL_LIB_CTX *libctx)
{
	return selftest_new(ctx, false, libctx);
}

/* Reads a record that the client has written; `x` must be in it. */
static bool opens(const struct tls_record_algorithms *all,
	struct tls_records *records, BIO *from)
{
	uint8_t record[1 + TLS_RECORD_MORE];
	enum tls_record_alert alert;
	size_t len = 0;

	return BIO_read(from, record, sizeof(record)) == sizeof(record) &&
	       tls_record_body_len(record, &alert) ==
		       sizeof(record) - TLS_RECORD_HEADER &&
	       tls_records_open(all, records, record,
		       sizeof(record) - TLS_RECORD_HEADER, &len,
		       &alert) == TLS_RECORDS_DATA &&
	       len == 1 && record[TLS_RECORD_HEADER] == 'x';
}

static bool seals(const struct tls_record_algorithms *all,
	struct tls_records *records, BIO *to)
{
	uint8_t record[1 + TLS_RECORDS_MORE];
	size_t len =
		tls_records_seal(all, records, (const uint8_t *)"x", 1, record);

	return len && BIO_write(to, record, (int)len) == (int)len;
}

/* Goes on where OpenSSL's server was, which has read and written one record. */
static bool records_go_on(struct tls_selftest *selftest)
{
	const struct pair *pair = &selftest->pairs[0];
	struct tls_records *records = &selftest->records;
	struct tls_record_algorithms all;
	char sent = 'x', got = 0;
	bool good;

	if (tls_record_algorithms_init(&all, selftest->libctx) != 0)
		return false;
	good = tls_records_begin(&all, records,
		       SSL_CIPHER_get_protocol_id(
			       SSL_get_current_cipher(pair->server))) == 0;
	records->reads.next = records->writes.next = 1;
	good = good && seals(&all, records, SSL_get_wbio(pair->server)) &&
	       SSL_read(pair->client, &got, 1) == 1 && got == sent &&
	       SSL_write(pair->client, &sent, 1) == 1 &&
	       opens(&all, records, SSL_get_rbio(pair->server));
	tls_record_algorithms_finish(&all);
	return good;
}

unsigned tls_selftest_run(struct tls_selftest *selftest, bool *records_fit)
{
	unsigned failed = 0;

	*records_fit = false;
	if (!selftest)
		return TLS_KEY_ALL;
	for (size_t i = 0; i < VERSIONS; i++)
		failed |= pair_run(&selftest->pairs[i]);
	if (failed != TLS_KEY_ALL)
		*records_fit = records_go_on(selftest);
	ERR_clear_error();
	selftest_free(selftest);
	return failed;
}

unsigned tls_selftest_all(SSL_CTX *ctx, OSSL_LIB_CTX *libctx, bool *records_fit)
{
	unsigned failed =
		tls_selftest_run(selftest_new(ctx, false, libctx), records_fit);

	return failed == TLS_KEY_ALL ? failed
				     : failed | tls_selftest_keys_check(libctx);
}

int tls_selftest_own(SSL_CTX *ctx, OSSL_LIB_CTX *libctx)
{
	struct tls_selftest *selftest = selftest_new(ctx, true, libctx);
	bool records_fit;

	return tls_selftest_run(selftest, &records_fit) == TLS_KEY_ALL ? -1 : 0;
}

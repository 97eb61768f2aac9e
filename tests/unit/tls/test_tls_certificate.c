/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of which certificates OpenSSL is allowed to parse. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "tls/tls_certificate.h"

#define ROOM 20000

/* A handshake message in transit. */
struct message {
	unsigned char bytes[ROOM];
	size_t len;
	bool is_tls13;
};

static void put_length(unsigned char *at, size_t length)
{
	at[0] = (unsigned char)(length >> 16);
	at[1] = (unsigned char)(length >> 8);
	at[2] = (unsigned char)length;
}

static void begin(struct message *message, bool is_tls13)
{
	memset(message, 0, sizeof(*message));
	message->bytes[0] = 11;
	message->is_tls13 = is_tls13;
	message->len = is_tls13 ? 8 : 7;
}

static void add(struct message *message, const unsigned char *der, size_t len)
{
	assert_true(message->len + len + 5 <= ROOM);
	put_length(message->bytes + message->len, len);
	memcpy(message->bytes + message->len + 3, der, len);
	message->len += 3 + len + (message->is_tls13 ? 2 : 0);
	put_length(message->bytes + (message->is_tls13 ? 5 : 4),
		message->len - (message->is_tls13 ? 8 : 7));
	put_length(message->bytes + 1, message->len - 4);
}

static enum tls_certificate look(const struct message *message)
{
	return tls_certificate_look(
		message->bytes, message->len, message->is_tls13);
}

/* Owns the key.  The signature is not checked. */
static size_t certificate_of(EVP_PKEY *key, unsigned char out[ROOM])
{
	X509 *cert = X509_new();
	EVP_PKEY *signer = EVP_EC_gen("P-256");
	int len;

	assert_non_null(key);
	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_true(X509_sign(cert, signer, EVP_sha256()) > 0);
	len = i2d_X509(cert, &out);
	assert_true(len > 0);
	X509_free(cert);
	EVP_PKEY_free(signer);
	EVP_PKEY_free(key);
	return (size_t)len;
}

static void check(EVP_PKEY *key, enum tls_certificate want)
{
	static unsigned char der[ROOM];
	static struct message message;
	size_t len = certificate_of(key, der);

	for (int is_tls13 = 0; is_tls13 < 2; is_tls13++) {
		begin(&message, is_tls13);
		add(&message, der, len);
		assert_int_equal(look(&message), want);
	}
}

static EVP_PKEY *curve_as(const char *curve, const char *what, const char *how)
{
	EVP_PKEY *key = EVP_EC_gen(curve);

	assert_non_null(key);
	assert_int_equal(EVP_PKEY_set_utf8_string_param(key, what, how), 1);
	return key;
}

/* A key with a modulus and an exponent of this many bits, which cannot be used.
 */
static EVP_PKEY *rsa(int bits, int exponent_bits)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *n = BN_new(), *e = BN_new();
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;

	assert_int_equal(BN_set_bit(n, bits - 1) & BN_set_bit(n, 0), 1);
	assert_int_equal(
		BN_set_bit(e, exponent_bits - 1) & BN_set_bit(e, 0), 1);
	assert_true(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n));
	assert_true(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e));
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	return key;
}

static void what_devices_have_is_good(void **state)
{
	(void)state;
	check(EVP_EC_gen("P-256"), TLS_CERTIFICATE_GOOD);
	check(EVP_EC_gen("P-384"), TLS_CERTIFICATE_GOOD);
	check(EVP_EC_gen("P-521"), TLS_CERTIFICATE_GOOD);
	check(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), TLS_CERTIFICATE_GOOD);
	check(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), TLS_CERTIFICATE_GOOD);
	check(rsa(1024, 17), TLS_CERTIFICATE_GOOD);
	check(rsa(3072, 17), TLS_CERTIFICATE_GOOD);
}

static void rsa_is_bounded(void **state)
{
	(void)state;
	check(rsa(8192, 31), TLS_CERTIFICATE_GOOD);
	check(rsa(8193, 17), TLS_CERTIFICATE_COSTLY_KEY);
	check(rsa(16384, 17), TLS_CERTIFICATE_COSTLY_KEY);
	check(rsa(2048, 32), TLS_CERTIFICATE_COSTLY_KEY);
	check(rsa(3072, 3071), TLS_CERTIFICATE_COSTLY_KEY);
}

static void other_keys_are_not_read(void **state)
{
	static const char *const curves[] = {
		"secp224r1", "secp256k1", "brainpoolP512r1", "sect571r1"};

	(void)state;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		check(EVP_EC_gen(curves[i]), TLS_CERTIFICATE_COSTLY);
	check(curve_as("P-256", OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
		      "compressed"),
		TLS_CERTIFICATE_COSTLY);
	check(curve_as("P-256", OSSL_PKEY_PARAM_EC_ENCODING, "explicit"),
		TLS_CERTIFICATE_COSTLY);
	check(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), TLS_CERTIFICATE_COSTLY);
}

static void a_chain_is_not_read(void **state)
{
	static unsigned char der[ROOM], bad[ROOM];
	static struct message message;
	size_t len, bad_len;

	(void)state;
	len = certificate_of(EVP_EC_gen("P-256"), der);
	bad_len = certificate_of(EVP_EC_gen("secp224r1"), bad);
	for (int is_tls13 = 0; is_tls13 < 2; is_tls13++) {
		begin(&message, is_tls13);
		for (int n = 0; n < TLS_CERTIFICATES_MOST; n++) {
			add(&message, der, len);
			assert_int_equal(look(&message), TLS_CERTIFICATE_GOOD);
		}
		add(&message, der, len);
		assert_int_equal(look(&message), TLS_CERTIFICATE_COSTLY);

		begin(&message, is_tls13);
		add(&message, der, len);
		add(&message, bad, bad_len);
		assert_int_equal(look(&message), TLS_CERTIFICATE_COSTLY);
	}
}

/* Truncated or changed certificates must not crash; any result is right. */
static void what_is_broken_is_survived(void **state)
{
	static unsigned char der[ROOM];
	static struct message message;
	size_t len;

	(void)state;
	len = certificate_of(EVP_EC_gen("P-384"), der);
	for (int is_tls13 = 0; is_tls13 < 2; is_tls13++) {
		begin(&message, is_tls13);
		assert_int_equal(look(&message), TLS_CERTIFICATE_GOOD);
		add(&message, der, len);
		for (size_t i = 0; i < message.len; i++) {
			(void)tls_certificate_look(
				message.bytes, i, message.is_tls13);
			message.bytes[i] ^= 0xff;
			(void)look(&message);
			message.bytes[i] ^= 0xff;
		}
		assert_int_equal(look(&message), TLS_CERTIFICATE_GOOD);
	}
}

static void a_certificate_that_is_no_der_is_not_read(void **state)
{
	static const unsigned char endless[] = {
		0x30, 0x80, 0x30, 0x80, 2, 1, 1};
	static struct message message;

	(void)state;
	begin(&message, true);
	add(&message, endless, sizeof(endless));
	assert_int_equal(look(&message), TLS_CERTIFICATE_COSTLY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_devices_have_is_good),
		cmocka_unit_test(rsa_is_bounded),
		cmocka_unit_test(other_keys_are_not_read),
		cmocka_unit_test(a_chain_is_not_read),
		cmocka_unit_test(what_is_broken_is_survived),
		cmocka_unit_test(a_certificate_that_is_no_der_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

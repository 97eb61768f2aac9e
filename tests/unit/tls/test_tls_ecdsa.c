/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of ECDSA with Nettle: it and OpenSSL must accept each other's
 * signatures. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "tls/p384.h"
#include "tls/tls_provider.h"

#define SIG_MOST 256

static OSSL_LIB_CTX *ours;
static unsigned signed_by_nettle, verified_by_nettle;

/* The linker (--wrap) calls these instead. */
int __wrap_p384_sign(const unsigned char key[P384_LEN],
	const unsigned char *digest, size_t len, struct p384_signature *out);
int __real_p384_sign(const unsigned char key[P384_LEN],
	const unsigned char *digest, size_t len, struct p384_signature *out);
bool __wrap_p384_verify(const struct p384_point *key,
	const unsigned char *digest, size_t len,
	const struct p384_signature *signature);
bool __real_p384_verify(const struct p384_point *key,
	const unsigned char *digest, size_t len,
	const struct p384_signature *signature);

int __wrap_p384_sign(const unsigned char key[P384_LEN],
	const unsigned char *digest, size_t len, struct p384_signature *out)
{
	signed_by_nettle++;
	return __real_p384_sign(key, digest, len, out);
}

bool __wrap_p384_verify(const struct p384_point *key,
	const unsigned char *digest, size_t len,
	const struct p384_signature *signature)
{
	verified_by_nettle++;
	return __real_p384_verify(key, digest, len, signature);
}

struct signature {
	unsigned char bytes[SIG_MOST];
	size_t len;
};

static int set_up(void **state)
{
	(void)state;
	ours = tls_provider_take();
	return ours ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	tls_provider_give(ours);
	return 0;
}

/* The same key in another context. */
static EVP_PKEY *moved(const EVP_PKEY *key, OSSL_LIB_CTX *to)
{
	EVP_PKEY_CTX *cx = EVP_PKEY_CTX_new_from_name(to, "EC", NULL);
	OSSL_PARAM *parts = NULL;
	EVP_PKEY *copy = NULL;

	assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &parts), 1);
	assert_int_equal(EVP_PKEY_fromdata_init(cx), 1);
	assert_int_equal(
		EVP_PKEY_fromdata(cx, &copy, EVP_PKEY_KEYPAIR, parts), 1);
	OSSL_PARAM_free(parts);
	EVP_PKEY_CTX_free(cx);
	return copy;
}

static struct signature sign(EVP_PKEY *key, OSSL_LIB_CTX *context,
	const char *digest, const char *text)
{
	struct signature made = {.len = SIG_MOST};
	EVP_MD_CTX *cx = EVP_MD_CTX_new();

	assert_int_equal(EVP_DigestSignInit_ex(
				 cx, NULL, digest, context, NULL, key, NULL),
		1);
	assert_int_equal(EVP_DigestSign(cx, made.bytes, &made.len,
				 (const unsigned char *)text, strlen(text)),
		1);
	EVP_MD_CTX_free(cx);
	return made;
}

static bool verify(EVP_PKEY *key, OSSL_LIB_CTX *context, const char *digest,
	const char *text, const struct signature *given)
{
	EVP_MD_CTX *cx = EVP_MD_CTX_new();
	int result;

	assert_int_equal(EVP_DigestVerifyInit_ex(
				 cx, NULL, digest, context, NULL, key, NULL),
		1);
	result = EVP_DigestVerify(cx, given->bytes, given->len,
		(const unsigned char *)text, strlen(text));
	EVP_MD_CTX_free(cx);
	return result == 1;
}

static void both_take_each_others(void **state)
{
	static const char *const digests[] = {"SHA256", "SHA384", "SHA512"};
	static const char *const groups[] = {
		"P-384", "P-256", "P-521", "brainpoolP384r1"};

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		const char *group = groups[i % 4], *digest = digests[i / 4];
		EVP_PKEY *theirs = EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);
		EVP_PKEY *mine = moved(theirs, ours);
		struct signature by_us, by_them;

		signed_by_nettle = verified_by_nettle = 0;
		by_us = sign(mine, ours, digest, "one text");
		by_them = sign(theirs, NULL, digest, "one text");
		assert_true(verify(theirs, NULL, digest, "one text", &by_us));
		assert_true(verify(mine, ours, digest, "one text", &by_them));
		assert_false(verify(mine, ours, digest, "another", &by_them));
		assert_int_equal(signed_by_nettle, i % 4 == 0);
		assert_int_equal(verified_by_nettle, i % 4 == 0 ? 2 : 0);
		EVP_PKEY_free(mine);
		EVP_PKEY_free(theirs);
	}
}

/* Small numbers make short signatures: about one of 128 is shorter. */
static void signatures_of_every_length_fit(void **state)
{
	EVP_PKEY *theirs = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	EVP_PKEY *mine = moved(theirs, ours);
	size_t least = SIG_MOST, most = 0;

	(void)state;
	for (unsigned i = 0; i < 600; i++) {
		struct signature made = sign(mine, ours, "SHA384", "text");

		assert_true(verify(mine, ours, "SHA384", "text", &made));
		least = made.len < least ? made.len : least;
		most = made.len > most ? made.len : most;
		if (made.len < 102)
			assert_true(
				verify(theirs, NULL, "SHA384", "text", &made));
	}
	assert_true(least < most && most <= (size_t)EVP_PKEY_get_size(mine));
	EVP_PKEY_free(mine);
	EVP_PKEY_free(theirs);
}

static void what_is_not_that_signature_is_refused(void **state)
{
	EVP_PKEY *mine = EVP_PKEY_Q_keygen(ours, NULL, "EC", "P-384");
	EVP_PKEY *another = EVP_PKEY_Q_keygen(ours, NULL, "EC", "P-384");
	struct signature good = sign(mine, ours, "SHA384", "text"), bad;
	static const struct signature crafted[] = {
		{.len = 0}, {{0x30, 0x06, 2, 1, 0, 2, 1, 0}, 8}, /* zeros */
		{{0x30, 0x06, 2, 1, 1, 2, 1, 0xff}, 8},          /* negative */
		{{0x30, 0x07, 2, 1, 1, 2, 2, 0, 1}, 9},          /* padded */
		{{0x30, 0x81, 0x06, 2, 1, 1, 2, 1, 1}, 9},  /* long length */
		{{0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0}, 10}, /* BER */
		{{0x30, 0x3b, 2, 0x36, 1, 1, 1, 1, 1, 1, 1}, 61}, /* too long */
	};

	(void)state;
	assert_true(verify(mine, ours, "SHA384", "text", &good));
	assert_false(verify(another, ours, "SHA384", "text", &good));
	for (size_t i = 0; i < good.len; i++) {
		bad = good;
		bad.bytes[i] ^= 1;
		assert_false(verify(mine, ours, "SHA384", "text", &bad));
		bad = good;
		bad.len = i;
		assert_false(verify(mine, ours, "SHA384", "text", &bad));
	}
	bad = good;
	bad.len++;
	assert_false(verify(mine, ours, "SHA384", "text", &bad));
	for (size_t i = 0; i < sizeof(crafted) / sizeof(crafted[0]); i++)
		assert_false(verify(mine, ours, "SHA384", "text", &crafted[i]));
	EVP_PKEY_free(another);
	EVP_PKEY_free(mine);
}

static void a_context_can_be_copied_and_used_again(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(ours, NULL, "EC", "P-384");
	EVP_MD_CTX *cx = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();
	struct signature one = {.len = SIG_MOST}, other = {.len = SIG_MOST};
	size_t len = 0;

	(void)state;
	assert_int_equal(EVP_DigestSignInit_ex(
				 cx, NULL, "SHA384", ours, NULL, key, NULL),
		1);
	assert_int_equal(EVP_DigestSignUpdate(cx, "begin", 5), 1);
	assert_int_equal(EVP_DigestSignFinal(cx, NULL, &len), 1);
	assert_int_equal(len, EVP_PKEY_get_size(key));
	assert_int_equal(EVP_MD_CTX_copy_ex(copy, cx), 1);
	assert_int_equal(EVP_DigestSignUpdate(cx, "-one", 4), 1);
	assert_int_equal(EVP_DigestSignUpdate(copy, "-other", 6), 1);
	assert_int_equal(EVP_DigestSignFinal(cx, one.bytes, &one.len), 1);
	assert_int_equal(EVP_DigestSignFinal(copy, other.bytes, &other.len), 1);
	assert_true(verify(key, ours, "SHA384", "begin-one", &one));
	assert_true(verify(key, ours, "SHA384", "begin-other", &other));
	assert_int_equal(
		EVP_DigestSignInit_ex(cx, NULL, NULL, NULL, NULL, NULL, NULL),
		1);
	one.len = SIG_MOST;
	assert_int_equal(EVP_DigestSignUpdate(cx, "anew", 4), 1);
	assert_int_equal(EVP_DigestSignFinal(cx, one.bytes, &one.len), 1);
	assert_true(verify(key, ours, "SHA384", "anew", &one));
	EVP_MD_CTX_free(copy);
	EVP_MD_CTX_free(cx);
	EVP_PKEY_free(key);
}

static void what_is_no_key_of_the_curve_is_refused(void **state)
{
	unsigned char key[P384_LEN] = {0}, digest[P384_LEN] = {1};
	struct p384_point nowhere = {{1}, {2}};
	struct p384_signature signature = {{1}, {1}};

	(void)state;
	assert_int_equal(
		p384_sign(key, digest, sizeof(digest), &signature), -1);
	memset(key, 0xff, sizeof(key)); /* above the order */
	assert_int_equal(
		p384_sign(key, digest, sizeof(digest), &signature), -1);
	key[0] = 0;
	assert_int_equal(p384_sign(key, digest, sizeof(digest), &signature), 0);
	assert_false(p384_verify(&nowhere, digest, sizeof(digest), &signature));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_take_each_others),
		cmocka_unit_test(signatures_of_every_length_fit),
		cmocka_unit_test(what_is_not_that_signature_is_refused),
		cmocka_unit_test(a_context_can_be_copied_and_used_again),
		cmocka_unit_test(what_is_no_key_of_the_curve_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

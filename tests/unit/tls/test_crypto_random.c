/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Random and malformed inputs for the server's own algorithms and for
 * OpenSSL's: both must give the same.
 *
 *     test_crypto_random [-n COUNT] [-seed SEED] [verify] [sign] [seal]
 * [record]
 *
 * COUNT inputs for each of the algorithms that are named, or for all.  The seed
 * is printed; the same seed makes the same inputs, but for the nonces of
 * signatures.
 */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "both_sides.h"
#include "tls/p384_limbs.h"
#include "tls/tls_provider.h"

#define COUNT    2000
#define KEYS     8
#define RENEWED  500 /* inputs after which a key is made anew */
#define SIG_MOST 160
#define TEXT     20000

static const char *const hashes[] = {
	"SHA1", "SHA224", "SHA256", "SHA384", "SHA512"};

static OSSL_LIB_CTX *ours;
static uint64_t seed, drawn;
static unsigned long count = COUNT, number, good;

/* SplitMix64. */
static uint64_t draw(void)
{
	uint64_t z = drawn += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static size_t below(size_t bound)
{
	return (size_t)(draw() % bound);
}

static void fill(uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)draw();
}

/* Each input has a seed of its own, so that a failure can be repeated alone. */
static void begin(unsigned long which)
{
	number = which;
	drawn = seed + which * 0x5851f42d4c957f2d;
	(void)draw();
}

static void same(bool mine, bool theirs, const char *what)
{
	if (mine != theirs)
		fail_msg("%s, seed %" PRIu64 ", input %lu: ours says %d, "
			 "OpenSSL %d",
			what, seed, number, mine, theirs);
	good += mine;
}

/* The same key for both. */
struct key {
	uint8_t scalar[P384_LEN], point[1 + 2 * P384_LEN];
	EVP_PKEY *mine, *theirs; /* owned */
};

static struct key keys[KEYS];

static void free_key(struct key *key)
{
	EVP_PKEY_free(key->mine);
	EVP_PKEY_free(key->theirs);
}

static void make_key(struct key *key)
{
	BIGNUM *scalar = NULL;
	size_t len = 0;

	free_key(key);
	key->theirs = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	assert_non_null(key->theirs);
	assert_int_equal(EVP_PKEY_get_bn_param(key->theirs,
				 OSSL_PKEY_PARAM_PRIV_KEY, &scalar),
		1);
	assert_int_equal(BN_bn2binpad(scalar, key->scalar, P384_LEN), P384_LEN);
	BN_clear_free(scalar);
	assert_int_equal(EVP_PKEY_get_octet_string_param(key->theirs,
				 OSSL_PKEY_PARAM_PUB_KEY, key->point,
				 sizeof(key->point), &len),
		1);
	key->mine = key_of_point(ours, (struct bytes){key->point, len});
	assert_non_null(key->mine);
}

static const struct key *some_key(unsigned long i)
{
	if (i % RENEWED == 0)
		make_key(&keys[i / RENEWED % KEYS]);
	return &keys[below(i / RENEWED >= KEYS ? KEYS : i / RENEWED + 1)];
}

static void put_number(BIGNUM *out, const uint8_t at[P384_LEN])
{
	assert_non_null(BN_bin2bn(at, P384_LEN, out));
}

/* A number that is random, or near one that is special. */
static void some_number(uint8_t out[P384_LEN])
{
	static const uint8_t zero[P384_LEN];
	const uint8_t *near = below(2) ? zero : p384_order;
	BIGNUM *value = BN_new();

	if (below(3) == 0) {
		put_number(value, near);
		if (below(2))
			BN_add_word(value, below(3));
		else if (near != zero)
			BN_sub_word(value, below(3));
		assert_int_equal(BN_bn2binpad(value, out, P384_LEN), P384_LEN);
	} else {
		fill(out, P384_LEN);
		memset(out, below(2) ? 0 : 0xff, below(P384_LEN));
	}
	BN_free(value);
}

static size_t encode(const struct p384_signature *from, uint8_t *out)
{
	ECDSA_SIG *both = ECDSA_SIG_new();
	BIGNUM *r = BN_new(), *s = BN_new();
	int len;

	put_number(r, from->r);
	put_number(s, from->s);
	assert_int_equal(ECDSA_SIG_set0(both, r, s), 1);
	len = i2d_ECDSA_SIG(both, &out);
	ECDSA_SIG_free(both);
	assert_in_range(len, 1, SIG_MOST / 2 + 32);
	return (size_t)len;
}

/* s becomes the order minus s, which is as valid. */
static void negate(struct p384_signature *signature)
{
	BIGNUM *n = BN_new(), *s = BN_new();

	put_number(n, p384_order);
	put_number(s, signature->s);
	assert_int_equal(BN_sub(n, n, s), 1);
	assert_int_equal(BN_bn2binpad(n, signature->s, P384_LEN), P384_LEN);
	BN_free(n);
	BN_free(s);
}

/* Damages a signature in DER.  Returns its new length. */
static size_t damage(uint8_t *der, size_t len)
{
	size_t at = below(len), more = 1 + below(3);

	switch (below(6)) {
	case 0:
		for (size_t i = 0; i < more; i++)
			der[below(len)] ^= (uint8_t)(1U << below(8));
		return len;
	case 1: /* a header or the first byte of a number */
		der[below(5)] = (uint8_t)draw();
		return len;
	case 2:
		return at;
	case 3:
		fill(der + len, more);
		der[1] = (uint8_t)(der[1] + (below(2) ? more : 0));
		return len + more;
	case 4: /* bytes in the middle, the length as it should be or not */
		memmove(der + at + more, der + at, len - at);
		memset(der + at, below(2) ? 0 : 0x81, more);
		if (below(2))
			der[1] = (uint8_t)(der[1] + more);
		return len + more;
	default:
		len = below(SIG_MOST);
		fill(der, len);
		if (len > 1 && below(2)) {
			der[0] = 0x30;
			der[1] = (uint8_t)(len - 2);
		}
		return len;
	}
}

static void verify_one(const struct key *key)
{
	uint8_t text[64], digest[EVP_MAX_MD_SIZE], der[SIG_MOST];
	const char *hash = hashes[below(5)];
	struct p384_signature signature;
	size_t len = below(sizeof(text)), digest_len, der_len;

	fill(text, len);
	assert_int_equal(
		EVP_Q_digest(NULL, hash, NULL, text, len, digest, &digest_len),
		1);
	assert_int_equal(
		p384_sign(key->scalar, digest, digest_len, &signature), 0);
	switch (below(8)) {
	case 0:
		some_number(signature.r);
		break;
	case 1:
		some_number(signature.s);
		break;
	case 2:
		negate(&signature);
		break;
	case 3:
		text[0] ^= 1;
		break;
	default:
		break;
	}
	der_len = encode(&signature, der);
	if (below(2))
		der_len = damage(der, der_len);
	same(verifies(ours, key->mine, hash, (struct bytes){text, len},
		     (struct bytes){der, der_len}),
		verifies(NULL, key->theirs, hash, (struct bytes){text, len},
			(struct bytes){der, der_len}),
		"verify");
}

/* Without the provider: digests of any length, keys that are none. */
static void verify_numbers(const struct key *key)
{
	uint8_t digest[64];
	struct bytes given = {digest, below(sizeof(digest) + 1)};
	struct p384_signature signature;
	struct p384_point point;

	fill(digest, sizeof(digest));
	memcpy(point.x, key->point + 1, P384_LEN);
	memcpy(point.y, key->point + 1 + P384_LEN, P384_LEN);
	assert_int_equal(
		p384_sign(key->scalar, given.at, given.len, &signature), 0);
	switch (below(4)) {
	case 0:
		some_number(point.x);
		break;
	case 1:
		point.y[below(P384_LEN)] ^= (uint8_t)(1U << below(8));
		break;
	case 2:
		signature.s[below(P384_LEN)] ^= (uint8_t)(1U << below(8));
		break;
	default:
		break;
	}
	same(p384_verify(&point, given.at, given.len, &signature),
		openssl_verifies(&point, given, &signature), "verify numbers");
}

static void run_verify(unsigned long i)
{
	const struct key *key = some_key(i);

	if (below(4))
		verify_one(key);
	else
		verify_numbers(key);
}

/* Signs by ours; OpenSSL must find it valid.  A key that is no scalar is
 * refused. */
static void run_sign(unsigned long i)
{
	const struct key *key = some_key(i);
	uint8_t digest[64], scalar[P384_LEN];
	struct bytes given = {digest, below(sizeof(digest) + 1)};
	struct p384_signature signature;
	struct p384_point point;
	BIGNUM *value = BN_new(), *order = BN_new();

	fill(digest, sizeof(digest));
	memcpy(point.x, key->point + 1, P384_LEN);
	memcpy(point.y, key->point + 1 + P384_LEN, P384_LEN);
	if (below(8)) {
		bool made = p384_sign(key->scalar, given.at, given.len,
				    &signature) == 0;

		same(made, openssl_verifies(&point, given, &signature), "sign");
	} else {
		some_number(scalar);
		put_number(value, scalar);
		put_number(order, p384_order);
		same(p384_sign(scalar, given.at, given.len, &signature) == 0,
			!BN_is_zero(value) && BN_cmp(value, order) < 0,
			"sign with any key");
	}
	BN_free(value);
	BN_free(order);
}

struct sealed {
	uint8_t key[SEAL_KEY], nonce[SEAL_NONCE], aad[TEXT], text[TEXT];
	uint8_t mine[TEXT], theirs[TEXT];
	size_t len; /* of the text */
};

static struct sealed sealed;

static size_t some_length(size_t most)
{
	switch (below(16)) {
	case 0:
		return below(most);
	case 1:
		return below(2048);
	default:
		return below(300);
	}
}

static void flip(uint8_t *at, size_t len)
{
	if (len)
		at[below(len)] ^= (uint8_t)(1U << below(8));
}

static void run_seal(unsigned long i)
{
	struct sealing with = {ours, sealed.key, sealed.nonce,
		{sealed.aad, some_length(TEXT)}};
	struct bytes text = {sealed.text, some_length(16641)};
	struct bytes whole = {sealed.mine, text.len + SEAL_TAG};
	struct sealing openssl;
	bool mine, theirs;

	(void)i;
	fill(sealed.key, sizeof(sealed.key));
	fill(sealed.nonce, sizeof(sealed.nonce));
	fill(sealed.aad, with.aad.len);
	fill(sealed.text, text.len);
	openssl = with;
	openssl.libctx = NULL;
	assert_true(seal(&with, text, sealed.mine));
	assert_true(seal(&openssl, text, sealed.theirs));
	assert_memory_equal(sealed.mine, sealed.theirs, whole.len);
	switch (below(8)) {
	case 0:
		flip(sealed.key, sizeof(sealed.key));
		break;
	case 1:
		flip(sealed.nonce, sizeof(sealed.nonce));
		break;
	case 2:
		flip(sealed.aad, with.aad.len);
		break;
	case 3:
		flip(sealed.mine, whole.len);
		break;
	case 4:
		whole.len = below(whole.len);
		break;
	default:
		break;
	}
	mine = unseal(&with, whole, sealed.text);
	theirs = unseal(&openssl, whole, sealed.theirs);
	same(mine, theirs, "seal");
	if (mine)
		assert_memory_equal(
			sealed.text, sealed.theirs, whole.len - SEAL_TAG);
}

static void put_length(size_t len)
{
	sealed.aad[11] = (uint8_t)(len >> 8);
	sealed.aad[12] = (uint8_t)len;
}

static void run_record(unsigned long i)
{
	struct sealing with = {
		ours, sealed.key, sealed.nonce, {sealed.aad, SEAL_AAD}};
	size_t len = some_length(16385), whole = len + SEAL_TAG;
	struct sealing openssl = with;
	bool mine, theirs;

	(void)i;
	openssl.libctx = NULL;
	fill(sealed.key, sizeof(sealed.key));
	fill(sealed.nonce, sizeof(sealed.nonce));
	fill(sealed.aad, SEAL_AAD);
	fill(sealed.mine, len);
	memcpy(sealed.theirs, sealed.mine, len);
	put_length(len);
	assert_true(convert_record(&with, true, sealed.mine, whole));
	assert_true(convert_record(&openssl, true, sealed.theirs, whole));
	assert_memory_equal(sealed.mine, sealed.theirs, whole);
	switch (below(4)) {
	case 0:
		flip(sealed.mine, whole);
		break;
	case 1:
		flip(sealed.aad, SEAL_AAD - 2);
		break;
	case 2:
		whole = below(whole + 1);
		break;
	default:
		break;
	}
	put_length(whole);
	memcpy(sealed.theirs, sealed.mine, whole);
	mine = convert_record(&with, false, sealed.mine, whole);
	theirs = convert_record(&openssl, false, sealed.theirs, whole);
	same(mine, theirs, "record");
	if (mine && whole >= SEAL_TAG)
		assert_memory_equal(
			sealed.mine, sealed.theirs, whole - SEAL_TAG);
}

static void repeat(const char *name, void (*run)(unsigned long))
{
	good = 0;
	for (unsigned long i = 0; i < count; i++) {
		begin(i);
		run(i);
	}
	print_message("%s: %lu inputs, seed %" PRIu64 ", %lu of them good\n",
		name, count, seed, good);
	/* Neither all nor none. */
	assert_in_range(good, count / 16, count - count / 64);
}

static void verify(void **state)
{
	(void)state;
	repeat("verify", run_verify);
}

static void sign(void **state)
{
	(void)state;
	repeat("sign", run_sign);
}

static void seal_and_open(void **state)
{
	(void)state;
	repeat("seal", run_seal);
}

static void records_of_tls12(void **state)
{
	(void)state;
	repeat("record", run_record);
}

static int set_up(void **state)
{
	(void)state;
	ours = tls_provider_take();
	return ours ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++)
		free_key(&keys[i]);
	tls_provider_give(ours);
	return 0;
}

static const struct named {
	const char *name;
	struct CMUnitTest test;
} all[] = {
	{"verify", cmocka_unit_test(verify)},
	{"sign", cmocka_unit_test(sign)},
	{"seal", cmocka_unit_test(seal_and_open)},
	{"record", cmocka_unit_test(records_of_tls12)},
};

#define ALL (sizeof(all) / sizeof(all[0]))

int main(int argc, char **argv)
{
	struct CMUnitTest tests[ALL];
	size_t chosen = 0;
	int at = 1;

	if (RAND_bytes((unsigned char *)&seed, sizeof(seed)) != 1)
		return EXIT_FAILURE;
	for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
		if (strcmp(argv[at], "-n") == 0)
			count = strtoul(argv[at + 1], NULL, 10);
		else if (strcmp(argv[at], "-seed") == 0)
			seed = strtoull(argv[at + 1], NULL, 10);
	}
	for (size_t i = 0; i < ALL; i++) {
		bool wanted = at == argc;

		for (int j = at; j < argc; j++)
			wanted |= strcmp(argv[j], all[i].name) == 0;
		if (wanted)
			tests[chosen++] = all[i].test;
	}
	if (chosen == 0 || count == 0) {
		(void)fprintf(stderr, "see the head of the source\n");
		return EXIT_FAILURE;
	}
	return _cmocka_run_group_tests(
		"random inputs", tests, chosen, set_up, tear_down);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of ECDSA on P-384: its nonces and numbers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <gmp.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/sha2.h>

#include "tls/p384.h"
#include "tls/p384_limbs.h"
#include "tls/p384_nonce.h"
#include "tls/tls_random.h"

/* RFC 6979, appendix A.2.6: the key, and the nonces with SHA-384. */
static const char key_hex[] =
	"6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA"
	"9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5";
static const struct {
	const char *text, *k, *r, *s;
} vectors[] = {
	{"sample",
		"94ED910D1A099DAD3254E9242AE85ABDE4BA15168EAF0CA8"
		"7A555FD56D10FBCA2907E3E83BA95368623B8C4686915CF9",
		"94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA7"
		"3D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
		"99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526"
		"203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8"},
	{"test",
		"015EE46A5BF88773ED9123A5AB0807962D193719503C527B"
		"031B4C2D225092ADA71F4A459BC0DA98ADB95837DB8312EA",
		"8203B63D3C853E8D77227FB377BCF7B7B772E97892A80F36"
		"AB775D509D7A5FEB0542A7F0812998DA8F1DD3CA3CF023DB",
		"DDD0760448D42D8A43AF45AF836FCE4DE8BE06B485E9B61B"
		"827C2F13173923E06A739F040649A667BF3B828246BAA5A5"},
};

/* The linker (--wrap) calls this instead of the kernel's random numbers. */
int __wrap_tls_random_fill(unsigned char *out, size_t len);
int __real_tls_random_fill(unsigned char *out, size_t len);
static enum { RANDOM_REAL, RANDOM_CONSTANT, RANDOM_BROKEN } random_kind;

int __wrap_tls_random_fill(unsigned char *out, size_t len)
{
	switch (random_kind) {
	case RANDOM_CONSTANT:
		memset(out, 7, len);
		return 0;
	case RANDOM_BROKEN:
		return -1;
	default:
		return __real_tls_random_fill(out, len);
	}
}

static unsigned digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10;
}

static const uint8_t *bytes(const char *hex)
{
	static uint8_t out[P384_LEN];

	for (size_t i = 0; i < P384_LEN; i++)
		out[i] = (uint8_t)(digit(hex[2 * i]) << 4 |
				   digit(hex[2 * i + 1]));
	return out;
}

static void hash(const char *text, uint8_t out[P384_LEN])
{
	struct sha384_ctx cx;

	sha384_init(&cx);
	sha384_update(&cx, strlen(text), (const uint8_t *)text);
	sha384_digest(&cx, P384_LEN, out);
}

static void without_entropy_nonces_are_those_of_the_rfc(void **state)
{
	uint8_t key[P384_LEN], digest[P384_LEN], k[P384_LEN], again[P384_LEN];
	struct p384_nonce nonce;

	(void)state;
	memcpy(key, bytes(key_hex), P384_LEN);
	for (size_t i = 0; i < 2; i++) {
		hash(vectors[i].text, digest);
		p384_nonce_seed(&nonce, key, digest, P384_LEN, NULL, 0);
		p384_nonce_next(&nonce, P384_LEN, k);
		assert_memory_equal(k, bytes(vectors[i].k), P384_LEN);
		/* A nonce that is out of range is replaced by the next one. */
		p384_nonce_next(&nonce, P384_LEN, again);
		assert_memory_not_equal(k, again, P384_LEN);
	}
}

static void export_to(const mpz_t number, uint8_t out[P384_LEN])
{
	size_t len = (mpz_sizeinbase(number, 2) + 7) / 8;

	memset(out, 0, P384_LEN);
	mpz_export(out + P384_LEN - len, NULL, 1, 1, 0, 0, number);
}

static void next_nonce(void *nonce, size_t len, uint8_t *out)
{
	p384_nonce_next(nonce, len, out);
}

/* Gives Nettle the nonce's bytes as they are. */
static void signatures_are_those_of_the_rfc(void **state)
{
	uint8_t key[P384_LEN], digest[P384_LEN], number[P384_LEN];
	struct dsa_signature signature;
	struct ecc_scalar scalar;
	struct p384_nonce nonce;
	mpz_t x;

	(void)state;
	memcpy(key, bytes(key_hex), P384_LEN);
	mpz_init(x);
	mpz_import(x, P384_LEN, 1, 1, 0, 0, key);
	ecc_scalar_init(&scalar, nettle_get_secp_384r1());
	assert_true(ecc_scalar_set(&scalar, x));
	dsa_signature_init(&signature);
	for (size_t i = 0; i < 2; i++) {
		hash(vectors[i].text, digest);
		p384_nonce_seed(&nonce, key, digest, P384_LEN, NULL, 0);
		ecdsa_sign(&scalar, &nonce, next_nonce, P384_LEN, digest,
			&signature);
		export_to(signature.r, number);
		assert_memory_equal(number, bytes(vectors[i].r), P384_LEN);
		export_to(signature.s, number);
		assert_memory_equal(number, bytes(vectors[i].s), P384_LEN);
	}
	dsa_signature_clear(&signature);
	ecc_scalar_clear(&scalar);
	mpz_clear(x);
}

static struct p384_signature sign(const char *text)
{
	uint8_t digest[P384_LEN];
	struct p384_signature out;

	hash(text, digest);
	assert_int_equal(p384_sign(bytes(key_hex), digest, P384_LEN, &out), 0);
	return out;
}

static void entropy_makes_signatures_differ(void **state)
{
	struct p384_signature one, other;

	(void)state;
	random_kind = RANDOM_REAL;
	one = sign("sample");
	other = sign("sample");
	assert_memory_not_equal(one.r, other.r, P384_LEN);
}

/* Using a nonce twice would reveal the key. */
static void constant_random_numbers_give_no_nonce_twice(void **state)
{
	struct p384_signature one, other, again;

	(void)state;
	random_kind = RANDOM_CONSTANT;
	one = sign("sample");
	other = sign("test");
	again = sign("sample");
	random_kind = RANDOM_REAL;
	assert_memory_not_equal(one.r, other.r, P384_LEN);
	assert_memory_equal(&one, &again, sizeof(one));
}

static void no_random_numbers_no_signature(void **state)
{
	struct p384_signature out;

	(void)state;
	random_kind = RANDOM_BROKEN;
	assert_int_equal(
		p384_sign(bytes(key_hex), (const uint8_t *)"x", 1, &out), -1);
	random_kind = RANDOM_REAL;
}

/* bits2octets: digests equal to and above the order, longer and shorter ones.
 */
static void digests_are_reduced(void **state)
{
	uint8_t key[P384_LEN], high[64], low[P384_LEN] = {0};
	struct p384_nonce one, other;

	(void)state;
	memcpy(key, bytes(key_hex), P384_LEN);
	/* 2^384 - 1 minus the order. */
	memset(high, 0xff, sizeof(high));
	memcpy(low + 24,
		bytes("389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68C"
		      "000000000000000000000000000000000000000000000000"),
		24);
	p384_nonce_seed(&one, key, high, sizeof(high), NULL, 0);
	p384_nonce_seed(&other, key, low, P384_LEN, NULL, 0);
	assert_memory_equal(one.k, other.k, P384_LEN);
	p384_nonce_seed(&other, key, low + 24, P384_LEN - 24, NULL, 0);
	assert_memory_equal(one.k, other.k, P384_LEN);
}

/* The base point. */
static const char base_x[] = "AA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B98"
			     "59F741E082542A385502F25DBF55296C3A545E3872760AB7";
static const char base_y[] = "3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147C"
			     "E9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F";
static const char prime[] = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
			    "FFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFF";

static void points_and_scalars_are_told_from_others(void **state)
{
	mp_limb_t x[P384_LIMBS], y[P384_LIMBS], p[P384_LIMBS], n[P384_LIMBS];
	const mp_limb_t zero[P384_LIMBS] = {0}, one[P384_LIMBS] = {1};
	uint8_t back[P384_LEN];

	(void)state;
	p384_limbs_read(bytes(base_x), x);
	p384_limbs_write(x, back);
	assert_memory_equal(back, bytes(base_x), P384_LEN);
	p384_limbs_read(bytes(base_y), y);
	p384_limbs_read(bytes(prime), p);
	p384_limbs_read(p384_order, n);
	assert_true(p384_is_point(x, y));
	/* Its negative is on the curve, too. */
	(void)mpn_sub_n(y, p, y, P384_LIMBS);
	assert_true(p384_is_point(x, y));
	y[0] ^= 1;
	assert_false(p384_is_point(x, y));
	assert_false(p384_is_point(x, x));
	assert_false(p384_is_point(zero, zero));
	assert_false(p384_is_point(p, p));
	assert_true(p384_is_scalar(one));
	assert_true(p384_is_scalar(x));
	assert_false(p384_is_scalar(zero));
	assert_false(p384_is_scalar(n));
	(void)mpn_sub_n(n, n, one, P384_LIMBS);
	assert_true(p384_is_scalar(n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_entropy_nonces_are_those_of_the_rfc),
		cmocka_unit_test(signatures_are_those_of_the_rfc),
		cmocka_unit_test(entropy_makes_signatures_differ),
		cmocka_unit_test(constant_random_numbers_give_no_nonce_twice),
		cmocka_unit_test(no_random_numbers_no_signature),
		cmocka_unit_test(digests_are_reduced),
		cmocka_unit_test(points_and_scalars_are_told_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Runs the vectors of vectors/make.py with the server's own algorithms and with
 * OpenSSL's.  Both must give what the vector says. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "both_sides.h"
#include "tls/tls_provider.h"

#define LINE_MOST (1 << 18)
#define TEXT_MOST (1 << 17)
#define FIELDS    8

static OSSL_LIB_CTX *ours;

/* One vector: its fields, and for each that was read as bytes where they are.
 */
struct vector {
	char *fields[FIELDS];
	const char *comment;
	uint8_t bytes[4][TEXT_MOST];
};

static struct vector vector;

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

/* Hexadecimal, "-" for nothing, or "@N" for N bytes of a pattern. */
static struct bytes take(const char *field, size_t place)
{
	uint8_t *out = vector.bytes[place];
	size_t len;

	if (field[0] == '-')
		return (struct bytes){out, 0};
	if (field[0] == '@') {
		len = (size_t)strtoul(field + 1, NULL, 10);
		assert_in_range(len, 0, TEXT_MOST);
		for (size_t i = 0; i < len; i++)
			out[i] = (uint8_t)(7 * i + len);
		return (struct bytes){out, len};
	}
	assert_int_equal(
		OPENSSL_hexstr2buf_ex(out, TEXT_MOST, &len, field, '\0'), 1);
	return (struct bytes){out, len};
}

static void take_number(const char *field, unsigned char out[P384_LEN])
{
	struct bytes number = take(field, 3);

	assert_int_equal(number.len, P384_LEN);
	memcpy(out, number.at, P384_LEN);
}

static void expect(bool given, bool expected, const char *whose)
{
	if (given != expected)
		fail_msg("%s: %s says %s", vector.comment, whose,
			given ? "valid" : "invalid");
}

/* raw VERDICT X Y DIGEST R S */
static void run_raw(void)
{
	const char *verdict = vector.fields[1];
	struct p384_signature signature;
	struct p384_point point;
	struct bytes digest = take(vector.fields[4], 0);
	bool given;

	take_number(vector.fields[2], point.x);
	take_number(vector.fields[3], point.y);
	take_number(vector.fields[5], signature.r);
	take_number(vector.fields[6], signature.s);
	given = p384_verify(&point, digest.at, digest.len, &signature);
	/* Who makes such a signature gives away his key.  Nettle may refuse it
	 * (core/tls/README.md); OpenSSL must not. */
	if (strcmp(verdict, "doubling") != 0)
		expect(given, strcmp(verdict, "valid") == 0, "p384_verify()");
	expect(openssl_verifies(&point, digest, &signature),
		strcmp(verdict, "invalid") != 0, "OpenSSL");
}

static bool is_verified(OSSL_LIB_CTX *libctx, struct bytes point)
{
	EVP_PKEY *key = key_of_point(libctx, point);
	bool good = key && verifies(libctx, key, vector.fields[3],
				   take(vector.fields[4], 1),
				   take(vector.fields[5], 2));

	EVP_PKEY_free(key);
	return good;
}

/* der VERDICT POINT HASH TEXT SIGNATURE, where POINT may be "=": as before. */
static void run_der(void)
{
	bool expected = strcmp(vector.fields[1], "valid") == 0;
	static uint8_t at[256];
	static struct bytes point = {at, 0};

	if (strcmp(vector.fields[2], "=") != 0) {
		struct bytes given = take(vector.fields[2], 0);

		assert_in_range(given.len, 1, sizeof(at));
		memcpy(at, given.at, given.len);
		point.len = given.len;
	}
	expect(is_verified(ours, point), expected, "the provider");
	expect(is_verified(NULL, point), expected, "OpenSSL");
}

static void check_hash(const uint8_t *sealed, size_t len, const char *expected)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	struct bytes right = take(expected, 3);

	(void)SHA256(sealed, len, hash);
	if (right.len != sizeof(hash) ||
		memcmp(hash, right.at, sizeof(hash)) != 0)
		fail_msg("%s: sealed to something else", vector.comment);
}

/* No bit of the tag, and neither key, nonce nor text may differ. */
static void check_refusals(struct sealing with, uint8_t *sealed, size_t len)
{
	static uint8_t out[TEXT_MOST];
	uint8_t nonce[SEAL_NONCE], key[SEAL_KEY];
	struct bytes whole = {sealed, len};

	for (size_t bit = 0; bit < 8 * SEAL_TAG; bit++) {
		uint8_t *at = sealed + len - SEAL_TAG + bit / 8;

		*at ^= (uint8_t)(1U << bit % 8);
		expect(unseal(&with, whole, out), false, "a flipped tag");
		*at ^= (uint8_t)(1U << bit % 8);
	}
	for (size_t at = 0; at < len - SEAL_TAG; at += 1 + at / 2) {
		sealed[at] ^= 0x80;
		expect(unseal(&with, whole, out), false, "a flipped text");
		sealed[at] ^= 0x80;
	}
	expect(unseal(&with, (struct bytes){sealed, len - 1}, out), false,
		"a cut tag");
	memcpy(nonce, with.nonce, sizeof(nonce));
	nonce[11] ^= 1;
	memcpy(key, with.key, sizeof(key));
	key[0] ^= 1;
	expect(unseal(&(struct sealing){with.libctx, key, with.nonce, with.aad},
		       whole, out),
		false, "another key");
	expect(unseal(&(struct sealing){with.libctx, with.key, nonce, with.aad},
		       whole, out),
		false, "another nonce");
	if (with.aad.len)
		with.aad.len--;
	else
		with.aad = (struct bytes){key, 1};
	expect(unseal(&with, whole, out), false, "another AAD");
}

/* seal KEY NONCE AAD TEXT HASH */
static void run_seal(void)
{
	static uint8_t sealed[TEXT_MOST], out[TEXT_MOST];
	uint8_t key[SEAL_KEY], nonce[SEAL_NONCE];
	struct sealing with = {NULL, key, nonce, {NULL, 0}};
	struct bytes text;

	memcpy(key, take(vector.fields[1], 0).at, sizeof(key));
	memcpy(nonce, take(vector.fields[2], 0).at, sizeof(nonce));
	with.aad = take(vector.fields[3], 0);
	text = take(vector.fields[4], 1);
	for (int i = 0; i < 2; i++) {
		size_t len = text.len + SEAL_TAG;

		with.libctx = i == 0 ? NULL : ours;
		assert_true(seal(&with, text, sealed));
		check_hash(sealed, len, vector.fields[5]);
		assert_true(unseal(&with, (struct bytes){sealed, len}, out));
		assert_memory_equal(out, text.at, text.len);
	}
	check_refusals(with, sealed, text.len + SEAL_TAG);
}

/* record KEY IV AAD TEXT HASH */
static void run_record(void)
{
	static uint8_t record[TEXT_MOST];
	uint8_t key[SEAL_KEY], iv[SEAL_NONCE], aad[SEAL_AAD];
	struct sealing with = {NULL, key, iv, {aad, sizeof(aad)}};
	struct bytes text;
	size_t len;

	memcpy(key, take(vector.fields[1], 0).at, sizeof(key));
	memcpy(iv, take(vector.fields[2], 0).at, sizeof(iv));
	memcpy(aad, take(vector.fields[3], 0).at, sizeof(aad));
	text = take(vector.fields[4], 1);
	len = text.len + SEAL_TAG;
	for (int i = 0; i < 2; i++) {
		with.libctx = i == 0 ? NULL : ours;
		memcpy(record, text.at, text.len);
		aad[11] = (uint8_t)(text.len >> 8);
		aad[12] = (uint8_t)text.len;
		assert_true(convert_record(&with, true, record, len));
		check_hash(record, len, vector.fields[5]);
		aad[11] = (uint8_t)(len >> 8);
		aad[12] = (uint8_t)len;
		record[len - 1] ^= 1;
		expect(convert_record(&with, false, record, len), false,
			"a flipped tag");
		memcpy(record, text.at, text.len);
		aad[11] = (uint8_t)(text.len >> 8);
		aad[12] = (uint8_t)text.len;
		assert_true(convert_record(&with, true, record, len));
		aad[11] = (uint8_t)(len >> 8);
		aad[12] = (uint8_t)len;
		assert_true(convert_record(&with, false, record, len));
		assert_memory_equal(record, text.at, text.len);
	}
}

static void split(char *line)
{
	char *comment = strstr(line, " # "), *rest = NULL;
	size_t n = 0;

	assert_non_null(comment);
	*comment = '\0';
	vector.comment = comment + 3;
	memset(vector.fields, 0, sizeof(vector.fields));
	for (char *field = strtok_r(line, " ", &rest); field;
		field = strtok_r(NULL, " ", &rest)) {
		assert_in_range(n, 0, FIELDS - 1);
		vector.fields[n++] = field;
	}
}

static void run_file(const char *name, const char *kind, void (*run)(void))
{
	static char line[LINE_MOST];
	char path[4096];
	unsigned count = 0;
	FILE *file;

	assert_in_range(
		snprintf(path, sizeof(path), "%s/%s", VECTORS, name), 1, 4095);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#')
			continue;
		assert_non_null(strchr(line, '\n'));
		line[strcspn(line, "\n")] = '\0';
		split(line);
		if (strcmp(vector.fields[0], kind) != 0)
			continue;
		run();
		count++;
	}
	(void)fclose(file);
	print_message("%u vectors of the kind %s\n", count, kind);
	assert_in_range(count, 50, 10000);
}

static void signatures_as_numbers(void **state)
{
	(void)state;
	run_file("ecdsa_p384.txt", "raw", run_raw);
}

static void signatures_in_der(void **state)
{
	(void)state;
	run_file("ecdsa_p384.txt", "der", run_der);
}

static void sealed_texts(void **state)
{
	(void)state;
	run_file("chacha20_poly1305.txt", "seal", run_seal);
}

static void records_of_tls12(void **state)
{
	(void)state;
	run_file("chacha20_poly1305.txt", "record", run_record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_as_numbers),
		cmocka_unit_test(signatures_in_der),
		cmocka_unit_test(sealed_texts),
		cmocka_unit_test(records_of_tls12),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

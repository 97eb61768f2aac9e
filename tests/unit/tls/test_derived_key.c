/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What is derived from the server's key: by vectors that another program has
 * made, with OpenSSL's own context and with ours, and of each form of a file.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "identity_fixture.h"
#include "tls/derived_key.h"
#include "tls/identity_load.h"
#include "tls/tls_provider.h"

#define LINE_MOST 8192

static OSSL_LIB_CTX *ours;

static int set_up(void **state)
{
	ours = tls_provider_take();
	return ours ? make_dir(state) : -1;
}

static int tear_down(void **state)
{
	tls_provider_give(ours);
	return remove_dir(state);
}

static void load(struct identity *identity, OSSL_LIB_CTX *libctx)
{
	struct relay_err err = {""};

	if (identity_load(identity, dir, libctx, NULL, &err) != 0)
		fail_msg("%s", err.text);
}

/* Writes cert.pem and key.pem with a key in PKCS#8. */
static void write_der(const char *hex)
{
	uint8_t der[LINE_MOST / 2];
	const unsigned char *at = der;
	EVP_PKEY *key;
	X509 *cert;
	size_t len;

	assert_int_equal(
		OPENSSL_hexstr2buf_ex(der, sizeof(der), &len, hex, '\0'), 1);
	key = d2i_AutoPrivateKey(NULL, &at, (long)len);
	assert_non_null(key);
	cert = new_cert(key, NAME);
	write_cert(cert, "wb");
	write_key(key, PKCS8, "wb");
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void check_line(const struct identity identities[2], char *line)
{
	char module[32], label[32], expected[65];
	static uint8_t out[DERIVED_KEY_MOST];
	uint8_t hash[32], want[32];
	size_t len;

	assert_int_equal(sscanf(line, "out %31s %31s %zu %64s", module, label,
				 &len, expected),
		4);
	assert_int_equal(OPENSSL_hexstr2buf_ex(want, sizeof(want), &(size_t){0},
				 expected, '\0'),
		1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			derived_key(&identities[i], module, label, out, len),
			0);
		SHA256(out, len, hash);
		assert_memory_equal(hash, want, sizeof(want));
	}
}

static void test_vectors(void **state)
{
	FILE *f = fopen(VECTORS "/derived_keys.txt", "r");
	struct identity identities[2] = {{0}};
	char line[LINE_MOST], kind[16];
	static char hex[LINE_MOST];
	int keys = 0, checked = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "key %15s %8191s", kind, hex) == 2) {
			identity_finish(&identities[0]);
			identity_finish(&identities[1]);
			write_der(hex);
			load(&identities[0], NULL);
			load(&identities[1], ours);
			keys++;
		} else if (line[0] == 'o') {
			check_line(identities, line);
			checked++;
		}
	}
	identity_finish(&identities[0]);
	identity_finish(&identities[1]);
	(void)fclose(f);
	assert_int_equal(keys, 9);
	assert_int_equal(checked, 9 * 7);
}

/* The same key in another form of file, and another key. */
static void test_forms(void **state)
{
	static const char *const kinds[] = {"P-256", "RSA"};
	uint8_t secrets[3][32];

	(void)state;
	for (size_t kind = 0; kind < LEN(kinds); kind++) {
		EVP_PKEY *key = new_key(kinds[kind]);
		X509 *cert = new_cert(key, NAME);

		write_cert(cert, "wb");
		for (int i = 0; i < 3; i++) {
			struct identity identity;

			if (i < 2)
				write_key(key, i ? TRADITIONAL : PKCS8, "wb");
			else
				write_pair(kinds[kind], PKCS8);
			load(&identity, ours);
			assert_int_equal(derived_key(&identity, "m", "l",
						 secrets[i], 32),
				0);
			identity_finish(&identity);
		}
		assert_memory_equal(secrets[0], secrets[1], 32);
		assert_memory_not_equal(secrets[0], secrets[2], 32);
		X509_free(cert);
		EVP_PKEY_free(key);
	}
}

static void test_wrong_lengths(void **state)
{
	static uint8_t out[DERIVED_KEY_MOST + 1], zeros[DERIVED_KEY_MOST + 1];
	struct identity identity;

	(void)state;
	write_pair("P-256", PKCS8);
	load(&identity, ours);
	memset(out, 1, sizeof(out));
	assert_int_equal(
		derived_key(&identity, "m", "l", out, sizeof(out)), -1);
	assert_memory_equal(out, zeros, sizeof(out));
	assert_int_equal(derived_key(&identity, "m", "l", out, 0), -1);
	identity_finish(&identity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_vectors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_forms, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_wrong_lengths, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

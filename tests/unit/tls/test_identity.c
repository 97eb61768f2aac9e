/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of loading the server's identity, on real files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "go_identity.h"
#include "identity_fixture.h"
#include "tls/identity_dir.h"

static const char p256_parameters[] = "-----BEGIN EC PARAMETERS-----\n"
				      "BggqhkjOPQMBBw==\n"
				      "-----END EC PARAMETERS-----\n";

static void loads_the_pair_of_the_go_relay(void **state)
{
	struct identity identity;
	char id[RELAY_DEVICE_ID_TEXT];

	(void)state;
	write_go_pair();
	check_loads(&identity);
	relay_device_id_format(identity.id, id);
	assert_string_equal(id, go_id);
	assert_false(identity.made);
	assert_int_equal(sk_X509_num(identity.chain), 0);
	identity_finish(&identity);
	identity_finish(&identity);
}

static void loads_keys_of_every_kind(void **state)
{
	static const struct {
		const char *kind;
		enum form form;
		const char *label;
	} rows[] = {
		{"P-256", PKCS8, "BEGIN PRIVATE KEY"},
		{"P-256", TRADITIONAL, "BEGIN EC PRIVATE KEY"},
		{"P-384", PKCS8, "BEGIN PRIVATE KEY"},
		{"P-384", TRADITIONAL, "BEGIN EC PRIVATE KEY"},
		{"P-521", TRADITIONAL, "BEGIN EC PRIVATE KEY"},
		{"RSA", PKCS8, "BEGIN PRIVATE KEY"},
		{"RSA", TRADITIONAL, "BEGIN RSA PRIVATE KEY"},
		{"ED25519", PKCS8, "BEGIN PRIVATE KEY"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct identity identity;
		char text[4096];

		write_pair(rows[i].kind, rows[i].form);
		(void)read_text(IDENTITY_KEY_FILE, text, sizeof(text));
		assert_non_null(strstr(text, rows[i].label));
		check_loads(&identity);
		assert_false(identity.made);
		identity_finish(&identity);
	}
}

static void passes_over_ec_parameters(void **state)
{
	EVP_PKEY *key = new_key("P-256");
	X509 *cert = new_cert(key, NAME);
	struct identity identity;

	(void)state;
	write_cert(cert, "wb");
	write_text(IDENTITY_KEY_FILE, p256_parameters);
	write_key(key, TRADITIONAL, "ab");
	check_loads(&identity);
	identity_finish(&identity);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* The same file twice, as some programs want it, with text between blocks. */
static void loads_a_combined_file(void **state)
{
	struct identity identity;

	(void)state;
	write_text(IDENTITY_KEY_FILE, "The key:\n\n");
	append_text(IDENTITY_KEY_FILE, go_key);
	append_text(IDENTITY_KEY_FILE, "The certificate:\n\n");
	append_text(IDENTITY_KEY_FILE, go_cert);
	assert_int_equal(
		symlink(IDENTITY_KEY_FILE, path_of(IDENTITY_CERT_FILE)), 0);
	check_loads(&identity);
	identity_finish(&identity);
}

static void keeps_the_chain_in_order(void **state)
{
	EVP_PKEY *keys[3];
	X509 *certs[3];
	struct identity identity;

	(void)state;
	for (int i = 0; i < 3; i++) {
		keys[i] = new_key("P-256");
		certs[i] = new_cert(keys[i], NAME);
		write_cert(certs[i], i ? "ab" : "wb");
	}
	write_key(keys[0], PKCS8, "wb");
	check_loads(&identity);
	assert_int_equal(X509_cmp(identity.cert, certs[0]), 0);
	assert_int_equal(sk_X509_num(identity.chain), 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(X509_cmp(sk_X509_value(identity.chain, i),
					 certs[i + 1]),
			0);
	identity_finish(&identity);
	for (int i = 0; i < 3; i++) {
		X509_free(certs[i]);
		EVP_PKEY_free(keys[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(loads_the_pair_of_the_go_relay),
		TEST(loads_keys_of_every_kind),
		TEST(passes_over_ec_parameters),
		TEST(loads_a_combined_file),
		TEST(keeps_the_chain_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of invalid identity files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "go_identity.h"
#include "identity_fixture.h"
#include "tls/identity_dir.h"
#include "tls/identity_load.h"

static void refuses_a_key_alone(void **state)
{
	char text[1024];

	(void)state;
	write_text(IDENTITY_KEY_FILE, go_key);
	check_refused(IDENTITY_CERT_FILE, "is missing, but key.pem is there");
	check_refused(IDENTITY_CERT_FILE, "interrupted first start");
	(void)read_text(IDENTITY_KEY_FILE, text, sizeof(text));
	assert_string_equal(text, go_key);
}

static void refuses_a_certificate_alone(void **state)
{
	char text[1024];

	(void)state;
	write_text(IDENTITY_CERT_FILE, go_cert);
	check_refused(IDENTITY_KEY_FILE, "is missing, but cert.pem is there");
	check_refused(IDENTITY_KEY_FILE, "move cert.pem away");
	(void)read_text(IDENTITY_CERT_FILE, text, sizeof(text));
	assert_string_equal(text, go_cert);
}

static void refuses_files_that_do_not_match(void **state)
{
	(void)state;
	write_pair("P-384", TRADITIONAL);
	write_text(IDENTITY_CERT_FILE, go_cert);
	check_refused(IDENTITY_KEY_FILE, "is not the key of cert.pem");
	write_pair("RSA", TRADITIONAL);
	write_text(IDENTITY_CERT_FILE, go_cert);
	check_refused(IDENTITY_KEY_FILE, "is not the key of cert.pem");
}

/* Every truncation, as by a full disk, except without the last line feed only.
 */
static void refuses_torn_files(void **state)
{
	struct identity identity;
	struct relay_err err;

	(void)state;
	write_go_pair();
	for (size_t len = 0; len < sizeof(go_cert) - 2; len++) {
		write_bytes(IDENTITY_CERT_FILE, go_cert, len);
		assert_int_equal(
			identity_load(&identity, dir, NULL, &fresh, &err), -1);
		assert_true(has_word(&err, path_of(IDENTITY_CERT_FILE)));
	}
	write_go_pair();
	for (size_t len = 0; len < sizeof(go_key) - 2; len++) {
		write_bytes(IDENTITY_KEY_FILE, go_key, len);
		assert_int_equal(
			identity_load(&identity, dir, NULL, &fresh, &err), -1);
		assert_true(has_word(&err, path_of(IDENTITY_KEY_FILE)));
	}
	write_text(IDENTITY_KEY_FILE, "");
	check_refused(IDENTITY_KEY_FILE, "is empty");
	write_go_pair();
	append_text(IDENTITY_CERT_FILE, "-----BEGIN CERTIFICATE-----\nMIIC");
	check_refused(IDENTITY_CERT_FILE, "is damaged");
	write_bytes(IDENTITY_CERT_FILE, go_cert, 400);
	check_refused(IDENTITY_CERT_FILE, "is damaged");
}

static void refuses_what_is_no_pem(void **state)
{
	static const char der[] = "\060\202\001\0\0\0\0";

	(void)state;
	write_go_pair();
	write_bytes(IDENTITY_KEY_FILE, der, sizeof(der));
	check_refused(IDENTITY_KEY_FILE, "no PEM private key");
	write_text(IDENTITY_KEY_FILE, go_cert);
	check_refused(IDENTITY_KEY_FILE, "no PEM private key");
	write_text(IDENTITY_KEY_FILE, "-----BEGIN PRIVATE KEY-----\nMAA=\n"
				      "-----END PRIVATE KEY-----\n");
	check_refused(IDENTITY_KEY_FILE, "cannot be read");
	write_go_pair();
	write_bytes(IDENTITY_CERT_FILE, der, sizeof(der));
	check_refused(IDENTITY_CERT_FILE, "no PEM certificate");
	write_text(IDENTITY_CERT_FILE, "-----BEGIN CERTIFICATE-----\nMAA=\n"
				       "-----END CERTIFICATE-----\n");
	check_refused(IDENTITY_CERT_FILE, "is damaged");
}

static void refuses_encrypted_keys(void **state)
{
	char text[4096];
	char *at;

	(void)state;
	write_pair("P-256", PKCS8_ENCRYPTED);
	check_refused(IDENTITY_KEY_FILE, "is encrypted");
	write_pair("RSA", TRADITIONAL_ENCRYPTED);
	check_refused(IDENTITY_KEY_FILE, "is encrypted");
	/* Even with a wrong label, OpenSSL must not ask for a pass phrase. */
	write_pair("P-256", PKCS8_ENCRYPTED);
	(void)read_text(IDENTITY_KEY_FILE, text, sizeof(text));
	while ((at = strstr(text, "ENCRYPTED ")) != NULL)
		memmove(at, at + 10, strlen(at + 10) + 1);
	write_text(IDENTITY_KEY_FILE, text);
	check_refused(IDENTITY_KEY_FILE, "cannot be read");
}

static void refuses_keys_of_other_kinds(void **state)
{
	(void)state;
	write_pair("secp256k1", PKCS8);
	check_refused(IDENTITY_KEY_FILE, "of a kind that relays cannot use");
	write_pair("brainpoolP256r1", TRADITIONAL);
	check_refused(IDENTITY_KEY_FILE, "of a kind that relays cannot use");
}

static void refuses_what_is_no_file(void **state)
{
	(void)state;
	write_go_pair();
	assert_int_equal(unlink(path_of(IDENTITY_KEY_FILE)), 0);
	assert_int_equal(mkfifo(path_of(IDENTITY_KEY_FILE), 0600), 0);
	check_refused(IDENTITY_KEY_FILE, "is not a regular file");
	assert_int_equal(unlink(path_of(IDENTITY_KEY_FILE)), 0);
	assert_int_equal(mkdir(path_of(IDENTITY_KEY_FILE), 0700), 0);
	check_refused(IDENTITY_KEY_FILE, "is not a regular file");
	assert_int_equal(rmdir(path_of(IDENTITY_KEY_FILE)), 0);
	assert_int_equal(symlink("/dev/zero", path_of(IDENTITY_KEY_FILE)), 0);
	check_refused(IDENTITY_KEY_FILE, "is not a regular file");
	assert_int_equal(unlink(path_of(IDENTITY_KEY_FILE)), 0);
	assert_int_equal(symlink("nowhere", path_of(IDENTITY_KEY_FILE)), 0);
	check_refused(IDENTITY_KEY_FILE, "No such file");
}

static void refuses_oversized_files(void **state)
{
	struct identity identity;

	(void)state;
	write_go_pair();
	assert_int_equal(truncate(path_of(IDENTITY_KEY_FILE), 262144), 0);
	check_loads(&identity);
	identity_finish(&identity);
	assert_int_equal(truncate(path_of(IDENTITY_KEY_FILE), 262145), 0);
	check_refused(IDENTITY_KEY_FILE, "more than 262144 bytes");
	assert_int_equal(
		truncate(path_of(IDENTITY_KEY_FILE), INT64_C(1) << 40), 0);
	check_refused(IDENTITY_KEY_FILE, "more than 262144 bytes");
}

static void refuses_other_directories(void **state)
{
	struct identity identity;
	struct relay_err err = {""};
	char path[512];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s", path_of("nowhere"));
	assert_int_equal(
		identity_load(&identity, path, NULL, &fresh, &err), -1);
	assert_true(has_word(&err, path));
	assert_true(has_word(&err, "does not exist"));
	write_text("file", "");
	(void)snprintf(path, sizeof(path), "%s", path_of("file"));
	assert_int_equal(
		identity_load(&identity, path, NULL, &fresh, &err), -1);
	assert_true(has_word(&err, path));
	/* Nobody can create files there, not even root. */
	assert_int_equal(
		identity_load(&identity, "/proc/self", NULL, &fresh, &err), -1);
	assert_true(has_word(&err, "cannot create /proc/self/key.pem"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refuses_a_key_alone),
		TEST(refuses_a_certificate_alone),
		TEST(refuses_files_that_do_not_match),
		TEST(refuses_torn_files),
		TEST(refuses_what_is_no_pem),
		TEST(refuses_encrypted_keys),
		TEST(refuses_keys_of_other_kinds),
		TEST(refuses_what_is_no_file),
		TEST(refuses_oversized_files),
		TEST(refuses_other_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of making the server's identity, with real files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "identity_fixture.h"
#include "tls/identity_dir.h"
#include "tls/identity_load.h"

/* One character more than a common name may have. */
#define NAME_65                                                                \
	"12345678901234567890123456789012345678901234567890123456789012345"

static void makes_a_pair_once(void **state)
{
	struct identity first, second;
	struct stat st;

	(void)state;
	check_loads(&first);
	assert_true(first.made);
	assert_int_equal(count_entries(dir), 4); /* two files, . and .. */
	assert_int_equal(stat(path_of(IDENTITY_KEY_FILE), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(stat(path_of(IDENTITY_CERT_FILE), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	check_loads(&second);
	assert_false(second.made);
	assert_memory_equal(first.id, second.id, sizeof(first.id));
	identity_finish(&second);
	identity_finish(&first);
}

static void makes_a_new_pair_each_time(void **state)
{
	struct identity first, second;

	(void)state;
	check_loads(&first);
	assert_int_equal(unlink(path_of(IDENTITY_CERT_FILE)), 0);
	assert_int_equal(unlink(path_of(IDENTITY_KEY_FILE)), 0);
	check_loads(&second);
	assert_true(second.made);
	assert_memory_not_equal(first.id, second.id, sizeof(first.id));
	assert_int_not_equal(
		ASN1_INTEGER_cmp(X509_get0_serialNumber(first.cert),
			X509_get0_serialNumber(second.cert)),
		0);
	identity_finish(&second);
	identity_finish(&first);
}

static void check_times(const X509 *cert)
{
	int days = 0, seconds = 0;

	assert_true(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(cert),
		X509_get0_notAfter(cert)));
	assert_int_equal(days, 20 * 365);
	assert_int_equal(seconds, 0);
	assert_true(ASN1_TIME_diff(
		&days, &seconds, X509_get0_notBefore(cert), NULL));
	assert_int_equal(days, 0);
	assert_true(seconds >= 0);
}

static void makes_the_certificate_that_go_makes(void **state)
{
	struct identity identity;
	const ASN1_INTEGER *serial;
	BIGNUM *n;
	char text[128];
	X509 *cert;

	(void)state;
	check_loads(&identity);
	cert = identity.cert;
	assert_int_equal(X509_get_version(cert), X509_VERSION_3);
	assert_int_equal(X509_verify(cert, identity.key), 1);
	assert_true(EVP_PKEY_get_group_name(
		identity.key, text, sizeof(text), NULL));
	assert_string_equal(text, "prime256v1");
	assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
			    NID_commonName, text, sizeof(text)) > 0);
	assert_string_equal(text, NAME);
	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(cert),
				 X509_get_issuer_name(cert)),
		0);
	assert_int_equal(X509_check_host(cert, NAME, 0, 0, NULL), 1);
	assert_int_equal(X509_get_key_usage(cert),
		KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(X509_get_extended_key_usage(cert),
		XKU_SSL_SERVER | XKU_SSL_CLIENT);
	assert_int_equal(X509_check_ca(cert), 0);
	assert_int_equal(X509_get_ext_count(cert), 4);
	check_times(cert);
	serial = X509_get0_serialNumber(cert);
	n = ASN1_INTEGER_to_BN(serial, NULL);
	assert_non_null(n);
	assert_false(BN_is_negative(n));
	assert_int_equal(BN_num_bits(n), 127);
	BN_free(n);
	identity_finish(&identity);
}

static void refuses_names_that_no_certificate_has(void **state)
{
	static const char *const names[] = {
		"", "a,DNS:b", "a b", "a\nb", NAME_65};
	struct identity identity;
	struct relay_err err = {""};

	(void)state;
	for (size_t i = 0; i < LEN(names); i++) {
		const struct identity_new bad = {.name = names[i]};

		assert_int_equal(
			identity_load(&identity, dir, NULL, &bad, &err), -1);
		assert_true(has_word(&err, "name in a certificate"));
		assert_int_equal(count_entries(dir), 2);
	}
}

/* As if another process had created the file first. */
static void never_replaces_a_file(void **state)
{
	static const char *const files[] = {
		IDENTITY_KEY_FILE, IDENTITY_CERT_FILE};

	(void)state;
	for (size_t i = 0; i < LEN(files); i++) {
		struct identity_dir d = {
			open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir};
		struct relay_err err = {""};
		char text[64];

		write_text(files[i], "precious");
		assert_int_equal(identity_make(&d, &fresh, &err), -1);
		assert_true(has_word(&err, path_of(files[i])));
		assert_true(has_word(&err, "has appeared"));
		(void)read_text(files[i], text, sizeof(text));
		assert_string_equal(text, "precious");
		assert_int_equal(count_entries(dir), 3);
		assert_int_equal(unlink(path_of(files[i])), 0);
		(void)close(d.fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_a_pair_once),
		TEST(makes_a_new_pair_each_time),
		TEST(makes_the_certificate_that_go_makes),
		TEST(refuses_names_that_no_certificate_has),
		TEST(never_replaces_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

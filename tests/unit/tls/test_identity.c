/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of loading and making the server's identity, on real files. */

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "go_identity.h"
#include "tls/identity.h"
#include "tls/identity_dir.h"
#include "tls/identity_load.h"
#include "tls/identity_make.h"

#define NAME "strelaysrv"

static const struct identity_new fresh = {.name = NAME};

/* One character more than a common name may have. */
#define NAME_65                                                                \
	"12345678901234567890123456789012345678901234567890123456789012345"
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const char p256_parameters[] = "-----BEGIN EC PARAMETERS-----\n"
				      "BggqhkjOPQMBBw==\n"
				      "-----END EC PARAMETERS-----\n";

/* One directory per test; what is left in it is removed afterwards. */
static char dir[256];

static const char *path_of(const char *file)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	return path;
}

static int count_entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

static int descriptors;

static int make_dir(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)umask(022);
	(void)snprintf(dir, sizeof(dir), "%s/test_identity.XXXXXX",
		tmp && *tmp ? tmp : "/tmp");
	descriptors = count_entries("/proc/self/fd");
	return mkdtemp(dir) ? 0 : -1;
}

/* Every test leaves as many descriptors open as it found. */
static int remove_dir(void **state)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	(void)state;
	while (d && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			(void)remove(path_of(e->d_name));
	}
	(void)closedir(d);
	return rmdir(dir) || count_entries("/proc/self/fd") != descriptors;
}

static void write_bytes(const char *file, const void *data, size_t len)
{
	FILE *f = fopen(path_of(file), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void write_text(const char *file, const char *text)
{
	write_bytes(file, text, strlen(text));
}

static void append_text(const char *file, const char *text)
{
	FILE *f = fopen(path_of(file), "ab");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static size_t read_text(const char *file, char *out, size_t cap)
{
	FILE *f = fopen(path_of(file), "rb");
	size_t n;

	assert_non_null(f);
	n = fread(out, 1, cap - 1, f);
	out[n] = '\0';
	(void)fclose(f);
	return n;
}

/* -- keys and certificates of all kinds -- */

enum form { PKCS8, TRADITIONAL, PKCS8_ENCRYPTED, TRADITIONAL_ENCRYPTED };

static EVP_PKEY *new_key(const char *kind)
{
	EVP_PKEY *key;

	if (strcmp(kind, "RSA") == 0)
		key = EVP_RSA_gen(2048);
	else if (strcmp(kind, "ED25519") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		key = EVP_EC_gen(kind);
	assert_non_null(key);
	return key;
}

static X509 *new_cert(EVP_PKEY *key, const char *name)
{
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	bool ed = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;

	assert_true(X509_set_version(cert, X509_VERSION_3));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -2000));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), -1000));
	assert_true(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
		(const unsigned char *)name, -1, -1, 0));
	assert_true(X509_set_issuer_name(cert, subject));
	assert_true(X509_set_pubkey(cert, key));
	assert_true(X509_sign(cert, key, ed ? NULL : EVP_sha256()) > 0);
	return cert;
}

static FILE *open_out(const char *file, const char *mode)
{
	FILE *f = fopen(path_of(file), mode);

	assert_non_null(f);
	return f;
}

static void write_cert(const X509 *cert, const char *mode)
{
	FILE *f = open_out(IDENTITY_CERT_FILE, mode);

	assert_true(PEM_write_X509(f, cert));
	assert_int_equal(fclose(f), 0);
}

static void write_key(EVP_PKEY *key, enum form form, const char *mode)
{
	unsigned char phrase[] = "phrase";
	bool encrypted =
		form == PKCS8_ENCRYPTED || form == TRADITIONAL_ENCRYPTED;
	const EVP_CIPHER *cipher = encrypted ? EVP_aes_128_cbc() : NULL;
	BIO *bio = BIO_new_file(path_of(IDENTITY_KEY_FILE), mode);

	assert_non_null(bio);
	if (form == PKCS8 || form == PKCS8_ENCRYPTED)
		assert_true(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher,
			encrypted ? (char *)phrase : NULL, encrypted ? 6 : 0,
			NULL, NULL));
	else
		assert_true(PEM_write_bio_PrivateKey_traditional(bio, key,
			cipher, encrypted ? phrase : NULL, encrypted ? 6 : 0,
			NULL, NULL));
	assert_int_equal(BIO_free(bio), 1);
}

static void write_pair(const char *kind, enum form form)
{
	EVP_PKEY *key = new_key(kind);
	X509 *cert = new_cert(key, NAME);

	write_cert(cert, "wb");
	write_key(key, form, "wb");
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void write_go_pair(void)
{
	write_text(IDENTITY_CERT_FILE, go_cert);
	write_text(IDENTITY_KEY_FILE, go_key);
}

/* -- checks -- */

static void check_loads(struct identity *identity)
{
	struct relay_err err = {""};
	uint8_t der[8192], *p = der, id[32];
	int len;

	if (identity_load(identity, dir, NULL, &fresh, &err))
		fail_msg("identity_load: %s", err.text);
	len = i2d_X509(identity->cert, NULL);
	assert_in_range(len, 1, sizeof(der));
	assert_int_equal(i2d_X509(identity->cert, &p), len);
	assert_true(EVP_Digest(der, (size_t)len, id, NULL, EVP_sha256(), NULL));
	assert_memory_equal(identity->id, id, sizeof(id));
	assert_int_equal(
		X509_check_private_key(identity->cert, identity->key), 1);
}

static bool has_word(const struct relay_err *err, const char *word)
{
	if (strstr(err->text, word))
		return true;
	print_error("\"%s\" lacks \"%s\"\n", err->text, word);
	return false;
}

/* The error has the path of the file and the word, and the entries in the
 * directory are as many as before. */
static void check_refused(const char *file, const char *word)
{
	static const struct identity zero;
	struct identity identity;
	struct relay_err err = {""};
	int entries = count_entries(dir);

	memset(&identity, 0xaa, sizeof(identity));
	assert_int_equal(identity_load(&identity, dir, NULL, &fresh, &err), -1);
	assert_true(has_word(&err, path_of(file)));
	assert_true(has_word(&err, word));
	assert_memory_equal(&identity, &zero, sizeof(zero));
	assert_int_equal(identity_load(&identity, dir, NULL, &fresh, NULL), -1);
	assert_int_equal(count_entries(dir), entries);
}

/* -- tests -- */

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

/* Every prefix of a file, as a full disk leaves it, but for its last line
 * feed. */
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
	/* Under a wrong label it must not make OpenSSL ask either. */
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
	assert_int_equal(truncate(path_of(IDENTITY_KEY_FILE), 1L << 40), 0);
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

/* As if another process had been faster. */
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(loads_the_pair_of_the_go_relay),
		TEST(loads_keys_of_every_kind),
		TEST(passes_over_ec_parameters),
		TEST(loads_a_combined_file),
		TEST(keeps_the_chain_in_order),
		TEST(makes_a_pair_once),
		TEST(makes_a_new_pair_each_time),
		TEST(makes_the_certificate_that_go_makes),
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
		TEST(refuses_names_that_no_certificate_has),
		TEST(never_replaces_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

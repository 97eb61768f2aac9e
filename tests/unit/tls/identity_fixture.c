/* SPDX-License-Identifier: MPL-2.0 */

/* Identity files in a directory for each test. */

#include <dirent.h>
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

#include <openssl/pem.h>

#include "go_identity.h"
#include "identity_fixture.h"
#include "tls/identity_dir.h"
#include "tls/identity_load.h"

const struct identity_new fresh = {.name = NAME};

/* One directory for each test; its files are removed afterwards. */
char dir[256];

const char *path_of(const char *file)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	return path;
}

int count_entries(const char *path)
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

int make_dir(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)umask(022);
	(void)snprintf(dir, sizeof(dir), "%s/test_identity.XXXXXX",
		tmp && *tmp ? tmp : "/tmp");
	descriptors = count_entries("/proc/self/fd");
	return mkdtemp(dir) ? 0 : -1;
}

/* Also checks that the test has left no descriptor open. */
int remove_dir(void **state)
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

void write_bytes(const char *file, const void *data, size_t len)
{
	FILE *f = fopen(path_of(file), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

void write_text(const char *file, const char *text)
{
	write_bytes(file, text, strlen(text));
}

void append_text(const char *file, const char *text)
{
	FILE *f = fopen(path_of(file), "ab");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

size_t read_text(const char *file, char *out, size_t cap)
{
	FILE *f = fopen(path_of(file), "rb");
	size_t n;

	assert_non_null(f);
	n = fread(out, 1, cap - 1, f);
	out[n] = '\0';
	(void)fclose(f);
	return n;
}

/* Keys and certificates of all types. */

EVP_PKEY *new_key(const char *kind)
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

X509 *new_cert(EVP_PKEY *key, const char *name)
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

void write_cert(const X509 *cert, const char *mode)
{
	FILE *f = open_out(IDENTITY_CERT_FILE, mode);

	assert_true(PEM_write_X509(f, cert));
	assert_int_equal(fclose(f), 0);
}

void write_key(EVP_PKEY *key, enum form form, const char *mode)
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

void write_pair(const char *kind, enum form form)
{
	EVP_PKEY *key = new_key(kind);
	X509 *cert = new_cert(key, NAME);

	write_cert(cert, "wb");
	write_key(key, form, "wb");
	X509_free(cert);
	EVP_PKEY_free(key);
}

void write_go_pair(void)
{
	write_text(IDENTITY_CERT_FILE, go_cert);
	write_text(IDENTITY_KEY_FILE, go_key);
}

/* -- checks -- */

void check_loads(struct identity *identity)
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

bool has_word(const struct relay_err *err, const char *word)
{
	if (strstr(err->text, word))
		return true;
	print_error("\"%s\" lacks \"%s\"\n", err->text, word);
	return false;
}

/* Expects an error with the path of the file and the word, and no new or
 * missing files in the directory. */
void check_refused(const char *file, const char *word)
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

/* SPDX-License-Identifier: MPL-2.0 */

/* Reads the two files of an identity: PEM of bounded size. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/identity.h"
#include "tls/identity_dir.h"
#include "tls/identity_read.h"

#define FILE_MAX ((size_t)256 * 1024) /* a long chain has a tenth of that */

struct bytes {
	uint8_t *data; /* owned */
	size_t len;
};

static void bytes_finish(struct bytes *b)
{
	OPENSSL_clear_free(b->data, b->len);
	*b = (struct bytes){NULL, 0};
}

static const char *library_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason ? reason : "no reason given";
}

static int fail_errno(struct relay_err *err, const char *what,
	const struct identity_dir *dir, const char *file)
{
	char why[IDENTITY_WHY];

	return relay_fail(err, "cannot %s %s/%s: %s", what, dir->name, file,
		identity_why(why));
}

static int read_all(int fd, struct bytes *out)
{
	while (out->len <= FILE_MAX) {
		ssize_t n =
			read(fd, out->data + out->len, FILE_MAX + 1 - out->len);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			out->len += (size_t)n;
	}
	return 0;
}

static int read_open_file(int fd, const struct identity_dir *dir,
	const char *file, struct bytes *out, mode_t *mode,
	struct relay_err *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail_errno(err, "examine", dir, file);
	if (!S_ISREG(st.st_mode))
		return relay_fail(
			err, "%s/%s is not a regular file", dir->name, file);
	*mode = st.st_mode & 07777;
	out->data = OPENSSL_malloc(FILE_MAX + 1);
	if (!out->data)
		return relay_fail(
			err, "no memory to read %s/%s", dir->name, file);
	if (read_all(fd, out))
		return fail_errno(err, "read", dir, file);
	if (out->len > FILE_MAX)
		return relay_fail(err, "%s/%s has more than %zu bytes",
			dir->name, file, FILE_MAX);
	if (out->len == 0)
		return relay_fail(err,
			"%s/%s is empty; restore it from a backup to keep the "
			"relay's ID",
			dir->name, file);
	return 0;
}

static int read_file(const struct identity_dir *dir, const char *file,
	struct bytes *out, mode_t *mode, struct relay_err *err)
{
	/* Nonblocking, since the path may be a pipe. */
	int fd = openat(
		dir->fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int result;

	/* A socket; its "no such device or address" would mislead. */
	if (fd < 0 && errno == ENXIO)
		return relay_fail(
			err, "%s/%s is not a regular file", dir->name, file);
	if (fd < 0)
		return fail_errno(err, "open", dir, file);
	result = read_open_file(fd, dir, file, out, mode, err);
	(void)close(fd);
	return result;
}

static X509 *next_cert(BIO *bio, OSSL_LIB_CTX *libctx)
{
	X509 *cert = X509_new_ex(libctx, NULL), *into = cert;

	if (cert && PEM_read_bio_X509(bio, &into, NULL, NULL))
		return cert;
	/* A failed read may have freed the certificate and set `into` to
	 * NULL. */
	X509_free(into);
	return NULL;
}

/* Whether reading failed only because the input has no further PEM block. */
static bool at_clean_end(void)
{
	unsigned long e = ERR_peek_last_error();

	return ERR_GET_LIB(e) == ERR_LIB_PEM &&
	       ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

static int read_certs(struct identity *identity, BIO *bio,
	const struct identity_dir *dir, struct relay_err *err)
{
	X509 *cert;

	identity->cert = next_cert(bio, identity->libctx);
	if (!identity->cert && at_clean_end())
		return relay_fail(err,
			"%s/" IDENTITY_CERT_FILE " holds no PEM certificate",
			dir->name);
	identity->chain = sk_X509_new_null();
	if (!identity->chain)
		return relay_fail(err, "no memory for certificates");
	while (identity->cert &&
		(cert = next_cert(bio, identity->libctx)) != NULL) {
		if (sk_X509_push(identity->chain, cert) > 0)
			continue;
		X509_free(cert);
		return relay_fail(err, "no memory for certificates");
	}
	if (!at_clean_end())
		return relay_fail(err,
			"%s/" IDENTITY_CERT_FILE " is damaged (%s); restore it "
			"from a backup to keep the relay's ID",
			dir->name, library_reason());
	return 0;
}

int identity_read_certs(struct identity *identity,
	const struct identity_dir *dir, struct relay_err *err)
{
	struct bytes pem = {NULL, 0};
	BIO *bio = NULL;
	int result = -1;
	mode_t mode;

	if (read_file(dir, IDENTITY_CERT_FILE, &pem, &mode, err))
		goto error_read;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	if (!bio) {
		(void)relay_fail(err, "no memory for certificates");
		goto error_read;
	}
	result = read_certs(identity, bio, dir, err);
	(void)BIO_free(bio);
error_read:
	bytes_finish(&pem);
	return result;
}

/* One block of a PEM file. */
struct block {
	char *name;   /* owned, as all here */
	char *header; /* "" unless encrypted in the old format */
	uint8_t *der;
	long len;
};

static void block_finish(struct block *b)
{
	OPENSSL_free(b->name);
	OPENSSL_free(b->header);
	OPENSSL_clear_free(b->der, (size_t)b->len);
	*b = (struct block){NULL, NULL, NULL, 0};
}

static bool is_key(const struct block *b)
{
	static const char suffix[] = "PRIVATE KEY";
	size_t len = strlen(b->name), n = sizeof(suffix) - 1;

	return len >= n && strcmp(b->name + len - n, suffix) == 0;
}

/* Wipes the key's numbers first, which OSSL_PARAM_free() does not do. */
static void forget_parts(OSSL_PARAM *parts)
{
	for (OSSL_PARAM *part = parts; part && part->key; part++)
		OPENSSL_cleanse(part->data, part->data_size);
	OSSL_PARAM_free(parts);
}

/* Moves the key to the context's provider.  The decoder may have used another
 * one; then every signature would have to look up the context's own again. */
static EVP_PKEY *adopt_key(EVP_PKEY *key, OSSL_LIB_CTX *context)
{
	const char *type = key ? EVP_PKEY_get0_type_name(key) : NULL;
	EVP_PKEY_CTX *cx =
		type ? EVP_PKEY_CTX_new_from_name(context, type, NULL) : NULL;
	OSSL_PARAM *parts = NULL;
	EVP_PKEY *own = NULL;

	if (cx && EVP_PKEY_fromdata_init(cx) == 1 &&
		EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &parts) == 1)
		(void)EVP_PKEY_fromdata(cx, &own, EVP_PKEY_KEYPAIR, parts);
	forget_parts(parts);
	EVP_PKEY_CTX_free(cx);
	if (!own)
		return key;
	EVP_PKEY_free(key);
	return own;
}

static EVP_PKEY *decode_der(
	const unsigned char *der, size_t len, OSSL_LIB_CTX *context)
{
	return adopt_key(
		d2i_AutoPrivateKey_ex(NULL, &der, (long)len, context, NULL),
		context);
}

static int decode_key(struct identity *identity, const struct block *b,
	const struct identity_dir *dir, struct relay_err *err)
{
	if (strcmp(b->name, "ENCRYPTED PRIVATE KEY") == 0 ||
		strstr(b->header, "ENCRYPTED"))
		return relay_fail(err,
			"%s/" IDENTITY_KEY_FILE " is encrypted, and nobody can "
			"be asked for its pass phrase; decrypt it: openssl "
			"pkey -in key.pem -out plain.pem",
			dir->name);
	identity->key = decode_der(b->der, (size_t)b->len, identity->libctx);
	if (!identity->key)
		return relay_fail(err,
			"%s/" IDENTITY_KEY_FILE " holds a %s that cannot be "
			"read (%s)",
			dir->name, b->name, library_reason());
	return 0;
}

/* Takes the first private key and skips other blocks, such as EC PARAMETERS or
 * certificates. */
static int read_key(struct identity *identity, BIO *bio,
	const struct identity_dir *dir, struct relay_err *err)
{
	struct block b = {NULL, NULL, NULL, 0};
	int result;

	while (PEM_read_bio(bio, &b.name, &b.header, &b.der, &b.len)) {
		if (!is_key(&b)) {
			block_finish(&b);
			continue;
		}
		result = decode_key(identity, &b, dir, err);
		block_finish(&b);
		return result;
	}
	if (at_clean_end())
		return relay_fail(err,
			"%s/" IDENTITY_KEY_FILE " holds no PEM private key",
			dir->name);
	return relay_fail(err,
		"%s/" IDENTITY_KEY_FILE " is damaged (%s); restore it from a "
		"backup to keep the relay's ID",
		dir->name, library_reason());
}

int identity_read_key(struct identity *identity, const struct identity_dir *dir,
	struct relay_err *err)
{
	struct bytes pem = {NULL, 0};
	BIO *bio = NULL;
	int result = -1;

	if (read_file(dir, IDENTITY_KEY_FILE, &pem, &identity->key_mode, err))
		goto error_read;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	if (!bio) {
		(void)relay_fail(err, "no memory for the key");
		goto error_read;
	}
	result = read_key(identity, bio, dir, err);
	(void)BIO_free(bio);
error_read:
	bytes_finish(&pem);
	return result;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Makes a new identity: key, certificate, and their files, which appear
 * complete. */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "tls/identity_dir.h"
#include "tls/identity_make.h"

#define DAY_S        86400
#define NOT_BEFORE_S 1767225600 /* 2026: a correct clock is not before it */
#define DAYS         (20 * 365)
#define SERIAL_BITS  127 /* RFC 5280: positive, at most 20 bytes */
#define CN_MAX       64  /* ub-common-name of RFC 5280 */
#define TEMP_NAME    48

/* The name becomes part of X509V3_EXT_conf_nid()'s value syntax. */
static bool is_plain_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

	return len > 0 && len <= CN_MAX && name[len] == '\0';
}

static bool set_serial(X509 *cert)
{
	BIGNUM *n = BN_new();
	bool ok = n &&
		  BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE,
			  BN_RAND_BOTTOM_ANY) == 1 &&
		  BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));

	BN_free(n);
	return ok;
}

/*
 * Valid from midnight UTC, as the Go relay does, for peers whose clock is slow.
 * Boards without a battery begin in 1970: then the end is counted from
 * NOT_BEFORE_S, so that the certificate has not expired when the clock is set.
 */
static bool set_times(X509 *cert)
{
	time_t now = time(NULL), from = now - now % DAY_S;
	time_t counted = from < NOT_BEFORE_S ? NOT_BEFORE_S : from;

	return ASN1_TIME_set(X509_getm_notBefore(cert), from) &&
	       ASN1_TIME_adj(X509_getm_notAfter(cert), counted, DAYS, 0);
}

static bool set_names(X509 *cert, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(cert);

	return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		       (const unsigned char *)name, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, subject) == 1;
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = ext && X509_add_ext(cert, ext, -1) == 1;

	X509_EXTENSION_free(ext);
	return ok;
}

/* The same four extensions as the Go relay's. */
static bool add_extensions(X509 *cert, const char *name)
{
	char san[CN_MAX + sizeof("DNS:")];

	(void)snprintf(san, sizeof(san), "DNS:%s", name);
	return add_extension(cert, NID_key_usage,
		       "critical,digitalSignature,keyEncipherment") &&
	       add_extension(
		       cert, NID_ext_key_usage, "serverAuth,clientAuth") &&
	       add_extension(
		       cert, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(cert, NID_subject_alt_name, san);
}

static X509 *make_cert(EVP_PKEY *key, const char *name)
{
	X509 *cert = X509_new();

	if (cert && X509_set_version(cert, X509_VERSION_3) == 1 &&
		set_serial(cert) && set_times(cert) && set_names(cert, name) &&
		X509_set_pubkey(cert, key) == 1 && add_extensions(cert, name) &&
		X509_sign(cert, key, EVP_sha256()) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}

/* Writes the pair's PEM texts into key_pem and cert_pem. */
static int make_pair(const char *name, BIO *key_pem, BIO *cert_pem)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? make_cert(key, name) : NULL;
	int result = -1;

	/* SEC1, which all versions of the Go relay read. */
	if (cert &&
		PEM_write_bio_PrivateKey_traditional(
			key_pem, key, NULL, NULL, 0, NULL, NULL) == 1 &&
		PEM_write_bio_X509(cert_pem, cert) == 1)
		result = 0;
	X509_free(cert);
	EVP_PKEY_free(key);
	return result;
}

/* A file under a temporary name, and the final name. */
struct new_file {
	const char *name;
	mode_t mode;
	const struct identity_owner *owner;
	char temp[TEMP_NAME];
};

static int write_open_file(int fd, BIO *pem)
{
	char *data = NULL;
	long len = BIO_get_mem_data(pem, &data);
	int result = -1, saved;

	if (len > 0)
		result = file_write_all(fd, data, (size_t)len);
	else
		errno = EINVAL;
	saved = errno;
	if (close(fd) && !result)
		return -1;
	errno = saved;
	return result;
}

/* Changes the owner while the file has only its temporary name and no
 * content. */
static int hand_over(int fd, const struct identity_owner *owner)
{
	return owner ? fchown(fd, owner->uid, owner->gid) : 0;
}

/* On failure, file->temp is "" if no file was created. */
static int write_temp(
	const struct identity_dir *dir, struct new_file *file, BIO *pem)
{
	int fd = file_make_beside(dir->fd, file->name, file->mode, file->temp,
		    sizeof(file->temp)),
	    saved;

	if (fd < 0) {
		file->temp[0] = '\0';
		return -1;
	}
	if (hand_over(fd, file->owner) != 0) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return -1;
	}
	return write_open_file(fd, pem);
}

/* rename() would replace a file that somebody else has created meanwhile.  Some
 * file systems have no hard links; those support RENAME_NOREPLACE. */
static int put_in_place(int dir_fd, const struct new_file *file)
{
	if (linkat(dir_fd, file->temp, dir_fd, file->name, 0) == 0)
		return 0;
	if (errno != EPERM && errno != EOPNOTSUPP)
		return -1;
	return (int)syscall(SYS_renameat2, dir_fd, file->temp, dir_fd,
		file->name, RENAME_NOREPLACE);
}

/* Preserves errno, which tells why the file is removed. */
static void remove_file(int dir_fd, const char *file)
{
	int saved = errno;

	if (*file)
		(void)unlinkat(dir_fd, file, 0);
	errno = saved;
}

static int fail_file(struct relay_err *err, const char *dir, const char *file)
{
	char why[IDENTITY_WHY];

	if (errno == EEXIST)
		return relay_fail(err,
			"%s/%s has appeared while a new key pair was being "
			"made; it was left alone, start again to use it",
			dir, file);
	return relay_fail(err, "cannot create %s/%s for a new key pair: %s",
		dir, file, identity_why(why));
}

/* The key comes first: a process that sees the certificate must find its key.
 */
static int put_pair(int dir_fd, const struct new_file *key,
	const struct new_file *cert, const char **at)
{
	*at = key->name;
	if (put_in_place(dir_fd, key))
		return -1;
	*at = cert->name;
	if (put_in_place(dir_fd, cert))
		goto error_cert;
	if (file_sync_dir(dir_fd))
		goto error_sync;
	return 0;
error_sync:
	remove_file(dir_fd, cert->name);
error_cert:
	remove_file(dir_fd, key->name);
	return -1;
}

static int write_pair(const struct identity_dir *dir,
	const struct identity_owner *owner, BIO *key_pem, BIO *cert_pem,
	struct relay_err *err)
{
	struct new_file key = {IDENTITY_KEY_FILE, 0600, owner, ""};
	struct new_file cert = {IDENTITY_CERT_FILE, 0644, owner, ""};
	const char *at = key.name;
	int result = -1;

	if (write_temp(dir, &key, key_pem) == 0) {
		at = cert.name;
		if (write_temp(dir, &cert, cert_pem) == 0)
			result = put_pair(dir->fd, &key, &cert, &at);
	}
	if (result)
		(void)fail_file(err, dir->name, at);
	remove_file(dir->fd, cert.temp);
	remove_file(dir->fd, key.temp);
	return result;
}

int identity_make(const struct identity_dir *dir,
	const struct identity_new *fresh, struct relay_err *err)
{
	const char *name = fresh->name;
	BIO *key_pem, *cert_pem;
	int result = -1;

	if (!is_plain_name(name))
		return relay_fail(err,
			"\"%.80s\" cannot be the name in a certificate", name);
	key_pem = BIO_new(BIO_s_secmem());
	cert_pem = BIO_new(BIO_s_mem());
	if (!key_pem || !cert_pem || make_pair(name, key_pem, cert_pem)) {
		const char *why =
			ERR_reason_error_string(ERR_peek_last_error());

		(void)relay_fail(err, "cannot make a new key pair: %s",
			why ? why : "OpenSSL gives no reason");
		goto out;
	}
	result = write_pair(dir, fresh->owner, key_pem, cert_pem, err);
out:
	(void)BIO_free(cert_pem);
	(void)BIO_free(key_pem);
	return result;
}

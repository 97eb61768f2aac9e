/* SPDX-License-Identifier: MPL-2.0 */

/* Loads cert.pem and key.pem, or has them made. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "tls/identity.h"
#include "tls/identity_dir.h"
#include "tls/identity_load.h"
#include "tls/identity_make.h"
#include "tls/identity_read.h"

static int open_dir(struct identity_dir *dir, struct relay_err *err)
{
	char why[IDENTITY_WHY];

	dir->fd = open(dir->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd >= 0)
		return 0;
	if (errno == ENOENT)
		return relay_fail(err,
			"the key directory %s does not exist; create it, or "
			"name another one with -keys",
			dir->name);
	return relay_fail(err, "cannot open the key directory %s: %s",
		dir->name, identity_why(why));
}

/* A dangling symbolic link counts as present: somebody intended a file
 * there. */
static int look_for(const struct identity_dir *dir, const char *file,
	bool *present, struct relay_err *err)
{
	struct stat st;

	*present = true;
	if (fstatat(dir->fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno != ENOENT)
		return relay_fail(err, "cannot look for %s/%s: %s", dir->name,
			file, strerror(errno));
	*present = false;
	return 0;
}

/* Clients offer only these curves; with another one, none could connect. */
static bool is_usable_curve(const EVP_PKEY *key)
{
	static const char *const curves[] = {
		"prime256v1", "secp384r1", "secp521r1"};
	char name[64];
	size_t len;

	if (EVP_PKEY_get_group_name(key, name, sizeof(name), &len) != 1)
		return false;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		if (strcmp(curves[i], name) == 0)
			return true;
	}
	return false;
}

static int check_key(const EVP_PKEY *key, const struct identity_dir *dir,
	struct relay_err *err)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_ED25519:
		return 0;
	case EVP_PKEY_EC:
		if (is_usable_curve(key))
			return 0;
		break;
	default:
		break;
	}
	return relay_fail(err,
		"%s/" IDENTITY_KEY_FILE " holds a key of a kind that relays "
		"cannot use; ECDSA (P-256, P-384, P-521), RSA and Ed25519 work",
		dir->name);
}

/* Fetches SHA-256 in our library context.  EVP_sha256() would have OpenSSL look
 * it up in its own. */
static int take_id(struct identity *identity)
{
	EVP_MD *sha256 = EVP_MD_fetch(identity->libctx, "SHA2-256", NULL);
	int done =
		sha256 ? X509_digest(identity->cert, sha256, identity->id, NULL)
		       : 0;

	EVP_MD_free(sha256);
	return done == 1 ? 0 : -1;
}

static int check_pair(struct identity *identity, const struct identity_dir *dir,
	struct relay_err *err)
{
	if (!X509_get0_pubkey(identity->cert))
		return relay_fail(err,
			"the public key in %s/" IDENTITY_CERT_FILE " cannot be "
			"read",
			dir->name);
	if (X509_check_private_key(identity->cert, identity->key) != 1)
		return relay_fail(err,
			"%s/" IDENTITY_KEY_FILE
			" is not the key of " IDENTITY_CERT_FILE
			" beside it; restore the pair from a backup to keep "
			"the relay's ID",
			dir->name);
	if (take_id(identity) != 0)
		return relay_fail(
			err, "cannot hash %s/" IDENTITY_CERT_FILE, dir->name);
	return 0;
}

/* Never remakes one file to match the other: the relay would get another ID,
 * and those that know the old one would not find it any more. */
static int fail_missing(
	const struct identity_dir *dir, bool has_cert, struct relay_err *err)
{
	if (has_cert)
		return relay_fail(err,
			"%s/" IDENTITY_KEY_FILE " is missing, but cert.pem is "
			"there: restore key.pem from a backup to keep the "
			"relay's ID, or move cert.pem away to get a new one",
			dir->name);
	return relay_fail(err,
		"%s/" IDENTITY_CERT_FILE " is missing, but key.pem is there: "
		"restore cert.pem from a backup to keep the relay's ID, or, "
		"after an interrupted first start, delete key.pem",
		dir->name);
}

/* Makes no pair if fresh is NULL. */
static int load_from(struct identity *identity, const struct identity_dir *dir,
	const struct identity_new *fresh, struct relay_err *err)
{
	bool has_cert, has_key;

	if (look_for(dir, IDENTITY_CERT_FILE, &has_cert, err) ||
		look_for(dir, IDENTITY_KEY_FILE, &has_key, err))
		return -1;
	if (has_cert != has_key)
		return fail_missing(dir, has_cert, err);
	if (!has_cert && !fresh)
		return 0;
	identity->made = !has_cert;
	if (identity->made && identity_make(dir, fresh, err))
		return -1;
	if (identity_read_certs(identity, dir, err) ||
		identity_read_key(identity, dir, err) ||
		check_key(identity->key, dir, err))
		return -1;
	return check_pair(identity, dir, err);
}

/* Whether memory ran out, in which case any other error message may be
 * wrong. */
static bool was_without_memory(void)
{
	bool found = errno == ENOMEM;
	unsigned long error;

	while ((error = ERR_get_error()) != 0)
		found |= ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
	return found;
}

int identity_load(struct identity *identity, const char *dir_name,
	OSSL_LIB_CTX *libctx, const struct identity_new *fresh,
	struct relay_err *err)
{
	struct identity_dir dir = {-1, *dir_name ? dir_name : "."};
	int result;

	memset(identity, 0, sizeof(*identity));
	if (open_dir(&dir, err))
		return -1;
	identity->libctx = libctx;
	ERR_clear_error();
	errno = 0;
	result = load_from(identity, &dir, fresh, err);
	if (result && was_without_memory())
		relay_fail(err, "no memory to read the keys in %s", dir.name);
	ERR_clear_error();
	(void)close(dir.fd);
	if (result)
		identity_finish(identity);
	return result;
}

int identity_look(struct identity *identity, const char *dir_name,
	OSSL_LIB_CTX *libctx, struct relay_err *err)
{
	return identity_load(identity, dir_name, libctx, NULL, err);
}

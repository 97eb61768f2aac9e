/* SPDX-License-Identifier: MPL-2.0 */

/* Reads the relay's certificate and key files. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "pem.h"

#define PEM_MAX 262144

int pem_load(struct request_pem *pem, const char *dir, const char *name,
	struct relay_err *err)
{
	char path[4200];
	FILE *file;
	int result = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	pem->len = 0;
	pem->data = malloc(PEM_MAX);
	if (!pem->data)
		return relay_fail(err, "out of memory");
	file = fopen(path, "re");
	if (file) {
		/*
		 * Unbuffered, so that no copy of the key stays in stdio's
		 * buffer.
		 */
		setbuf(file, NULL);
		pem->len = fread(pem->data, 1, PEM_MAX, file);
	}
	if (!file || ferror(file))
		result = relay_fail(
			err, "cannot read %.200s: %s", path, strerror(errno));
	else if (pem->len == 0 || pem->len == PEM_MAX)
		result = relay_fail(err, "%.200s is %s", path,
			pem->len ? "too large" : "empty");
	if (file && fclose(file) != 0 && result == 0)
		result = relay_fail(
			err, "cannot read %.200s: %s", path, strerror(errno));
	if (result != 0)
		pem_forget(pem);
	return result;
}

int pem_identify(const struct request_pem *cert, uint8_t id[32])
{
	BIO *bio = BIO_new_mem_buf(cert->data, (int)cert->len);
	unsigned char *der = NULL;
	long len = 0;
	int result = -1;

	/* The content of the certificate is not checked. */
	if (bio &&
		PEM_bytes_read_bio(&der, &len, NULL, PEM_STRING_X509, bio, NULL,
			NULL) == 1 &&
		EVP_Q_digest(
			NULL, "SHA256", NULL, der, (size_t)len, id, NULL) == 1)
		result = 0;
	OPENSSL_free(der);
	BIO_free(bio);
	ERR_clear_error();
	return result;
}

void pem_forget(struct request_pem *pem)
{
	if (pem->data)
		explicit_bzero(pem->data, pem->len);
	free(pem->data);
	pem->data = NULL;
	pem->len = 0;
}

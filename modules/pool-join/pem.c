/* SPDX-License-Identifier: MPL-2.0 */

/* Reads the relay's certificate and key files. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <strelaysrv/file.h>

#include "pem.h"

#define PEM_MAX 262144

int pem_load(struct request_pem *pem, const char *dir, const char *name,
	struct relay_err *err)
{
	char path[4200];
	struct relay_file file;
	int result;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	result = relay_file_read(path, PEM_MAX, &file, err);
	if (result == 0 && file.size == 0)
		result = relay_fail(err, "%.200s is empty", path);
	*pem = (struct request_pem){.data = file.text, .len = file.size};
	if (result != 0)
		pem_forget(pem);
	return result;
}

int pem_identify(const struct request_pem *cert, uint8_t id[32])
{
	BIO *bio = BIO_new_mem_buf(cert->data, (int)cert->len);
	X509 *first = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	int result = -1;

	/* Not of all bytes of the PEM block: peers are sent only those of the
	 * certificate, and more may follow it there. */
	if (first && X509_digest(first, EVP_sha256(), id, NULL) == 1)
		result = 0;
	X509_free(first);
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

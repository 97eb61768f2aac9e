/* SPDX-License-Identifier: MPL-2.0 */

/* pem.h - reads the relay's certificate and key files. */
#ifndef PEM_H
#define PEM_H

#include <strelaysrv/err.h>

#include "request.h"

/* Reads `name` in the directory `dir`.  0, or -1 with err naming the file. */
int pem_load(struct request_pem *pem, const char *dir, const char *name,
	struct relay_err *err);
/* The device ID of the first certificate.  0, or -1 if there is none. */
int pem_identify(const struct request_pem *cert, uint8_t id[32]);
/* Wipes and frees it.  It may be all zero. */
void pem_forget(struct request_pem *pem);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Loads the relay's certificate and key with a time limit: their mount may not
 * answer.
 */
#ifndef PEM_PAIR_H
#define PEM_PAIR_H

#include <strelaysrv/module.h>

#include "request.h"

/* [C]  Reads cert.pem and key.pem in `dir`, for 2 s at most, in which the
 * control thread waits: a module's `start` cannot be continued later.  0, or -1
 * with err; then both are all zero. */
int pem_pair_load(struct relay_ctx *cx, const char *dir,
	struct request_pem *cert, struct request_pem *key,
	struct relay_err *err);

#endif

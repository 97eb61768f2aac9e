/* SPDX-License-Identifier: MPL-2.0 */

/*
 * token_credential.h - the token that systemd passes as a credential, see
 * CREDENTIALS in systemd.exec(5).
 */
#ifndef TOKEN_CREDENTIAL_H
#define TOKEN_CREDENTIAL_H

#include <stddef.h>

#include <strelaysrv/err.h>

/*
 * Writes the path of the credential `token`, or "" if there is none.  0, or -1
 * with err: it cannot be known whether there is one.  On any thread.
 */
int token_credential_find(char *path, size_t size, struct relay_err *err);

#endif

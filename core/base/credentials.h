/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Credentials that systemd passes to a service as files, see CREDENTIALS in
 * systemd.exec(5).
 */
#ifndef CREDENTIALS_H
#define CREDENTIALS_H

#include <stdbool.h>

#include <strelaysrv/err.h>

/* The directory of the credentials, borrowed from the environment.  NULL: there
 * are none. */
const char *credentials_dir(void);

/*
 * Whether there is a credential of that name.  0, or -1 with err: it cannot be
 * known, since the directory is gone or cannot be searched.
 */
int credentials_have(const char *name, bool *found, struct relay_err *err);

#endif

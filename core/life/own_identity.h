/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The server's identity at its start: keys are loaded, made at the first start,
 * and never replaced by an upgrade.
 */
#ifndef OWN_IDENTITY_H
#define OWN_IDENTITY_H

#include <strelaysrv/err.h>

#include "base/rights.h"
#include "tls/identity.h"

/*
 * [C]  Loads the pair of the directory `keys`.  Makes one if there is none; it
 * belongs to the user of `rights`, and the log says so.  The new process of an
 * upgrade makes none, and fails if the ID is not the old process's.  0, or -1
 * with err.
 */
int own_identity_load(struct identity *identity, const char *keys,
	const struct rights *rights, struct relay_err *err);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The rights of the server at its start, and the sandbox.  All is [C].
 */
#ifndef OWN_RIGHTS_H
#define OWN_RIGHTS_H

#include <strelaysrv/err.h>

struct config;
struct server_shared;

/* Finds the user to change to, and does what must be done before keys are read.
 * 0, or -1 with err. */
int own_rights_prepare(struct server_shared *server, char *const argv[],
	const struct config *config, struct relay_err *err);

/* Drops them, and enters the sandbox: modules start with the same rights as at
 * a reload.  0, or -1 with err. */
int own_rights_drop(struct server_shared *server, char *const argv[],
	const struct config *config, struct relay_err *err);

#endif

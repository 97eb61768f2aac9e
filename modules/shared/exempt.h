/* SPDX-License-Identifier: MPL-2.0 */

/*
 * exempt.h - addresses without per-source limits.
 *
 * Uses the option `exempt` of the module bounds, so that a local proxy is
 * configured in one place; without that module, loopback.
 */
#ifndef EXEMPT_H
#define EXEMPT_H

#include <strelaysrv/module.h>

#include "shared/ranges.h"
#include "shared/source.h"

/* Reads the option.  [C] 0, or -1 with err and *out empty. */
int exempt_read(
	struct relay_ctx *cx, struct ranges *out, struct relay_err *err);

/* The source of a connection; it has no levels if it is exempt.  [W] The caller
 * guards the ranges. */
void exempt_source(const struct ranges *exempt, const struct relay_conn *conn,
	struct source *out);
/* The same of an address.  [*] */
void exempt_address(const struct ranges *exempt,
	const struct sockaddr_storage *from, struct source *out);

#endif

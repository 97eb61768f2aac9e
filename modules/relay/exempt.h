/* SPDX-License-Identifier: MPL-2.0 */

/*
 * exempt.h - addresses that are no source to be bounded.
 *
 * They are those of the option `exempt` of the module bounds, so that there is
 * one place to name a local proxy; without that module, loopback.
 */
#ifndef EXEMPT_H
#define EXEMPT_H

#include <strelaysrv/module.h>

#include "access/ranges.h"
#include "source.h"

/* Reads them anew.  [C]  0, or -1 with err and *out empty. */
int exempt_read(
	struct relay_ctx *cx, struct ranges *out, struct relay_err *err);

/* The source of a connection; without levels if it is exempt.  [W] */
void exempt_source(struct relay_ctx *cx, const struct relay_conn *conn,
	struct source *out);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* own_port.h - the port of ours that a gateway must map. */
#ifndef OWN_PORT_H
#define OWN_PORT_H

#include <strelaysrv/module.h>

#include "keeper.h"

/*
 * Finds the first listen address that accepts AF_INET or AF_INET6 connections
 * from other hosts, and fills port and local.  [C] False if there is none.
 */
bool own_port_find(struct relay_ctx *cx, int family, struct keeper_conf *out);
/* The same for the status address.  [C] */
bool own_port_find_status(
	struct relay_ctx *cx, int family, struct keeper_conf *out);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * own_port.h - which port of ours a gateway is to lead to.
 */
#ifndef OWN_PORT_H
#define OWN_PORT_H

#include <strelaysrv/module.h>

#include "keeper.h"

/*
 * The first listen address that serves AF_INET or AF_INET6 to the world: fills
 * port and local.  [C]  False: none does.
 */
bool own_port_find(struct relay_ctx *cx, int family, struct keeper_conf *out);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Inherited listening sockets whose addresses are not configured: they are
 * served while the old process of an upgrade may still hold them open.
 */
#ifndef LISTENERS_INHERITED_H
#define LISTENERS_INHERITED_H

/* [C]  Takes all relay sockets that listen_address_bind() has not taken. */
void listeners_adopt_inherited(void);
/* [C]  Accepts all connections in their queues, then closes them. */
void listeners_drain_inherited(void);

#endif

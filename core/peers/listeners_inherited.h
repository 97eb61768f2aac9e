/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Inherited listening sockets whose addresses are not configured: they are
 * served as long as the old process of an upgrade may hold them open.
 */
#ifndef LISTENERS_INHERITED_H
#define LISTENERS_INHERITED_H

/* [C]  Takes all relay sockets that listen_address_bind() has not taken. */
void listeners_take_inherited(void);
/* [C]  Accepts all connections in their queues, then closes them. */
void listeners_leave_rest(void);

#endif

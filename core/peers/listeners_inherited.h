/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Listening sockets that the process was started with, and whose addresses are
 * not configured: they are served as long as others may hold them open.
 */
#ifndef LISTENERS_INHERITED_H
#define LISTENERS_INHERITED_H

/* [C]  Takes all that listened_bind() has not taken. */
void listeners_take_inherited(void);
/* [C]  Accepts all who wait in their queues, then closes them. */
void listeners_leave_rest(void);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Which of the two processes of an upgrade accepts: this is the old one's side.
 * All is [C].
 */
#ifndef UPGRADE_ACCEPT_H
#define UPGRADE_ACCEPT_H

/* What comes waits in the sockets' queues. */
void upgrade_accept_end(void);
/* As before; a failure is logged. */
void upgrade_accept_again(void);
/* The listening sockets are closed, for good. */
void upgrade_accept_leave(void);

#endif

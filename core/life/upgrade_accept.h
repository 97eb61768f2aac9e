/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Accepting during an upgrade, in the old process.  All is [C].
 */
#ifndef UPGRADE_ACCEPT_H
#define UPGRADE_ACCEPT_H

/* Stops accepting: clients wait in the accept queues.  All workers must have
 * just answered (workers_answer.h), since it waits for them. */
void upgrade_accept_end(void);
/* Accepts again; a failure is logged.  It waits for no worker, nor does the
 * next. */
void upgrade_accept_again(void);
/* Closes the listening sockets. */
void upgrade_accept_leave(void);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* What is counted of the server while it runs: messages between loops, and the
 * first and the last hook of each connection. */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <stdint.h>

/* A message was posted: others may run.  Defined by the scheduler. */
void messages_posted(void);

/* Dies if a message that was posted has not been handled.  When all loops are
 * at rest. */
void messages_check(void);
/* Connections whose first hook was called, and not the last. */
unsigned messages_connections(void);

#endif

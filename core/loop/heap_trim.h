/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Returns memory to the system after a burst of handshakes.
 *
 * A handshake needs four times the memory that the connection keeps.  When many
 * peers connect at once, or begin a handshake and disconnect, the heap grows by
 * what they need together.  The allocator does not return what they free, since
 * it is between blocks that are still in use; malloc_trim() does, and takes
 * 0.2 ms with 9,000 devices.
 */
#ifndef HEAP_TRIM_H
#define HEAP_TRIM_H

#include "loop/loop.h"

/* [C]  Makes the room's state; before the first heap_trim_note().  0, or -1
 * without memory. */
int heap_trim_create(void);
void heap_trim_destroy(void);
/* [C]  Starts the timer that returns memory.  0, or -1. */
int heap_trim_start(struct loop *control);
void heap_trim_finish(void);
/* [W]  A handshake is over, or a connection with a TLS side was closed. */
void heap_trim_note(void);

#endif

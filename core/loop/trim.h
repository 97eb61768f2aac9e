/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Gives memory back to the system after a storm of handshakes.
 *
 * A handshake needs four times the memory that the connection keeps.  When many
 * peers come at once, or begin a handshake and go away, the heap grows by all
 * they need together.  The allocator does not return what they free, since it
 * lies between blocks that stay; malloc_trim() does, and takes 0.2 ms with
 * 9,000 devices.
 */
#ifndef TRIM_H
#define TRIM_H

#include "loop/loop.h"

/* [C]  The server's counts; before anybody notes anything.  0, or -1 without
 * memory. */
int trim_create(void);
void trim_destroy(void);
/* [C]  The timer that looks at them.  0 or -1. */
int trim_start(struct loop *control);
void trim_finish(void);
/* [W]  A handshake is over, or a connection with a TLS side was closed. */
void trim_note(void);

#endif

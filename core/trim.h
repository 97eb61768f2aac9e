/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Gives memory back to the system after a storm of handshakes.
 *
 * A handshake needs three times what the connection keeps.  When thousands of
 * devices come back at once, the heap grows by all they need together, and the
 * allocator keeps what they leave: it lies between what stays.
 */
#ifndef TRIM_H
#define TRIM_H

#include "loop.h"

/* [C]  0 or -1. */
int trim_start(struct loop *control);
/* [C] */
void trim_finish(void);
/* [W]  A handshake is over. */
void trim_note(void);

#endif

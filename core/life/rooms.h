/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Makes and frees the state of all rooms of one server in order, see
 * base/instance.h.
 */
#ifndef ROOMS_H
#define ROOMS_H

/* [C]  For the thread's `instance`, which is empty.  0; or -1 without memory,
 * and then nothing is left. */
int rooms_create(void);
/* [C]  In reverse, once the server's other threads have ended. */
void rooms_destroy(void);

#endif

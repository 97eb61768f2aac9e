/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Free memory that the allocator keeps.
 */
#ifndef HEAP_RETURN_H
#define HEAP_RETURN_H

/* Gives it to the system, where the C library can.  Allocators without a
 * function for this return it when it is freed.  [*] */
void heap_return(void);

#endif

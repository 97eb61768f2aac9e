/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Memory for GMP while it computes with secrets.
 *
 * GMP ends the process when malloc() fails, and does not wipe secrets when it
 * frees their memory.  Between p384_memory_begin() and p384_memory_end(), all
 * memory that GMP takes on this thread comes from the caller's block, which is
 * wiped at the end.  What does not fit there comes from GMP's former allocator,
 * and is wiped when GMP frees it.  At other times, and on other threads of the
 * process, GMP uses its former allocator.
 */
#ifndef P384_MEMORY_H
#define P384_MEMORY_H

#include <stddef.h>

/* Signing and verifying use a quarter of it (Nettle 3.8, GMP 6.2). */
#define P384_MEMORY_LEN 16384

struct p384_memory {
	_Alignas(max_align_t) unsigned char block[P384_MEMORY_LEN];
	size_t used; /* bytes of block; never shrinks */
};

/* Any thread; not nested. */
void p384_memory_begin(struct p384_memory *memory);
/* Wipes the block and the stack below the caller. */
void p384_memory_end(struct p384_memory *memory);

#endif

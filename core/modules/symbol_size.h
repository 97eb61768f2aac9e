/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How large a symbol of a loaded module is.
 */
#ifndef SYMBOL_SIZE_H
#define SYMBOL_SIZE_H

#include <stddef.h>

/* In bytes, as the ELF file says; where the C library cannot tell that, how
 * much is mapped from there on.  0 if no file has this symbol.  [*] */
size_t size_of_symbol(const void *symbol);

#endif

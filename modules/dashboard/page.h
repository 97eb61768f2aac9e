/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The page itself, as the build made it from page.html.
 */
#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>

extern const unsigned char page[];
extern const size_t page_len;

#endif

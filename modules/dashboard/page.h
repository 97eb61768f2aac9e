/* SPDX-License-Identifier: MPL-2.0 */

/* The page, generated from page.html by the build. */
#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>

extern const unsigned char page[];
extern const size_t page_len;

#endif

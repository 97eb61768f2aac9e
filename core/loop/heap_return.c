/* SPDX-License-Identifier: MPL-2.0 */

/* malloc_trim(), which is an extension of glibc. */

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif

#include "loop/heap_return.h"

void heap_return(void)
{
#ifdef HAVE_MALLOC_TRIM
	malloc_trim(0);
#endif
}

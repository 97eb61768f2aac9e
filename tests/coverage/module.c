/* SPDX-License-Identifier: MPL-2.0 */

/* Only in builds of the type Coverage: writes the counts of the module that it
 * is linked into, for flush.c. */

#include "counts.h"

__attribute__((visibility("default"))) void coverage_dump(void);

void coverage_dump(void)
{
	__gcov_dump();
}

/* SPDX-License-Identifier: MPL-2.0 */

/* What writes the counts.  gcc's gcov.h has it, too, but clang has no such
 * header. */
#ifndef COVERAGE_COUNTS_H
#define COVERAGE_COUNTS_H

void __gcov_dump(void);

#endif

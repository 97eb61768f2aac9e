/* SPDX-License-Identifier: MPL-2.0 */

/* Remembers files that were seen, to know for how long they have not changed
 * when the wall clock cannot tell. */
#ifndef FILE_UNCHANGED_H
#define FILE_UNCHANGED_H

#include <stdint.h>
#include <sys/stat.h>

/*
 * How long ago, by the monotonic clock, the calling thread saw this file first
 * as it is; 0: never before, or too many others since.
 */
int64_t file_unchanged_ms(const struct stat *st);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* Remembers files that were seen, to know for how long they have not changed
 * when the wall clock cannot tell. */
#ifndef FILE_UNCHANGED_H
#define FILE_UNCHANGED_H

#include <stdint.h>
#include <sys/stat.h>

/*
 * For how long, in ms of the monotonic clock, the calling thread has known this
 * file unchanged; 0: it sees this content for the first time, or has forgotten
 * the file because of many others.
 */
int64_t file_unchanged_ms(const struct stat *st);

#endif

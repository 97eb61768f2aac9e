/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The kernel's figures about this process.  Each function returns 0 if the
 * figure is not available.
 */
#ifndef PROCESS_USAGE_H
#define PROCESS_USAGE_H

#include <stdint.h>

int64_t process_threads(void);
int64_t process_descriptors(void);
int64_t process_descriptor_limit(void);
int64_t process_resident_bytes(void);

/* User and system time of all threads, in microseconds. */
int64_t process_cpu_us(void);

#endif

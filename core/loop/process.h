/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the kernel says of this process.  Each is 0 when it does not tell.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdint.h>

int64_t process_threads(void);
int64_t process_descriptors(void);
int64_t process_descriptor_limit(void);
int64_t process_resident_bytes(void);

/* User and system time of all threads, microseconds. */
int64_t process_cpu_us(void);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What all sessions together make the kernel hold, and whether that is too
 * much.  One sum for all threads; every function is [*].
 */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The bound in bytes; 0: half of what TCP may take before it is under pressure,
 * by the second number of net.ipv4.tcp_mem (tcp(7)), or of an eighth of the
 * machine's memory where that cannot be read.  [C]
 */
void kernel_memory_bound(int64_t bytes);

/* A session's part of the sum has changed by so many bytes. */
void kernel_memory_change(int64_t by);

/* Whether sessions must go, and none may come: the sum is above the bound. */
bool kernel_memory_short(void);

/* For how long, as far as calls of this have seen; -1: it is not so. */
int64_t kernel_memory_short_ms(int64_t now_ms);

/* The bound in force. */
int64_t kernel_memory_limit(void);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The kernel memory of all sessions together, and whether it is too much.  All
 * threads share one sum; every function is [*].
 */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup_limit;

/*
 * Sets the bound in bytes.  0: half of the amount at which TCP is under memory
 * pressure.  That amount is the second number of net.ipv4.tcp_mem (tcp(7)), or
 * an eighth of the machine's memory if that cannot be read.  At most half of
 * the memory that the control group allows, `allowed`.  [C]
 */
void kernel_memory_bound(int64_t bytes, const struct cgroup_limit *allowed);

/* Adds `by` bytes to the sum, when a session's part of it has changed. */
void kernel_memory_change(int64_t by);

/* Whether the sum is above the bound.  Then sessions are ended, and not every
 * session may begin. */
bool kernel_memory_short(void);

/* By how many bytes the sum is above the bound; negative: it is below. */
int64_t kernel_memory_excess(void);

/* For how long memory has been short, ms, since the first call that found it
 * so.  -1: memory is not short. */
int64_t kernel_memory_short_ms(int64_t now_ms);

/* The bound in force. */
int64_t kernel_memory_limit(void);

#endif

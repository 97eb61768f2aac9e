/* SPDX-License-Identifier: MPL-2.0 */

/* threads.h - the CPU time of each thread of another process. */
#ifndef THREADS_H
#define THREADS_H

#include <stddef.h>
#include <stdint.h>

#define THREADS_MOST 512

struct thread_time {
	int64_t id;
	int64_t cpu_ns;
};

struct threads {
	size_t count;
	struct thread_time times[THREADS_MOST];
};

/* None if the process cannot be read, or pid is 0. */
void threads_read(struct threads *out, int64_t pid);

/*
 * Turns `after` into what each of its threads used since `before`, those that
 * used most first.
 */
void threads_since(struct threads *after, const struct threads *before);

/* The part of the busiest thread's time that the number `place` used; after
 * threads_since().  0: there are not so many. */
double threads_balance(const struct threads *used, size_t place);

#endif

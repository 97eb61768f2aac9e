/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Reads a configuration file in a process of its own.
 *
 * libconfuse's scanner ends the process when it gets no memory, and other parts
 * of it use what they did not get.  So a child reads, and hands back what it
 * found (config_flat.h); whatever happens to it, the server goes on, and the
 * configuration is taken as a whole or not at all.
 *
 * The child is a fork and starts no program: it has the tables of options, and
 * needs no file but those it reads.  There is one thread in it, and whatever
 * lock another thread of the server had at that moment is never given back. The
 * C library sees to its allocator and its streams; OpenSSL, libevent and the
 * log are not touched in the child.  What is left is the list of exit(), and
 * locks of those who replace the allocator, such as sanitizers.  So a child
 * that uses no processor any more is killed, and another one is made.
 *
 * Besides those of reading files this needs the system calls clone, pipe2,
 * poll, wait4, kill and clock_gettime.
 */
#ifndef CONFIG_APART_H
#define CONFIG_APART_H

#include <stdint.h>

#include "config/config_flat.h"

/* What runs in the child; it writes to out, and need not free anything. */
typedef void config_apart_fn(const char *path, struct config_section *sections,
	size_t n, struct config_flat_out *out);

/*
 * Calls fn in a child, reports what it tells, and takes its values over.  0, or
 * -1 after a report: of an error in the file, or because the child could not
 * be made, ended early, or took longer than half a minute with all those that
 * were made because one was stuck for 3 s.
 */
int config_apart(config_apart_fn *fn, const char *path,
	struct config_section *sections, size_t n, config_report_fn *report,
	void *arg);

struct config_apart_patience {
	int64_t all_ms;   /* for all children together; above 0 */
	int64_t stuck_ms; /* without use of the processor, of one; above 0 */
};

/* The same, in other times. */
int config_apart_within(const struct config_apart_patience *patience,
	config_apart_fn *fn, const char *path, struct config_section *sections,
	size_t n, config_report_fn *report, void *arg);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Reads a configuration file in a child process.
 *
 * libconfuse's scanner ends the process when an allocation fails, and other
 * parts of libconfuse then use a null pointer.  So a child reads the file and
 * sends what it found to the parent (config_serialize.h).  Whatever happens to
 * the child, the server continues, and the configuration is taken as a whole or
 * not at all.
 *
 * The child is a fork and does not start another program: it has the option
 * tables, and needs no files but those that it reads.  It has only one thread,
 * and a lock that another thread of the server held during the fork is never
 * released.  The C library handles its allocator and streams; the child does
 * not use OpenSSL, libevent or the log.  What remains are the lock of exit(),
 * and locks of allocators that replace the C library's, such as sanitizers'.
 * So a child that uses no more CPU time is killed, and a new one is made.
 *
 * Besides the system calls for reading files, this needs clone, pipe2, poll,
 * wait4, kill and clock_gettime.
 */
#ifndef CONFIG_CHILD_H
#define CONFIG_CHILD_H

#include <stdint.h>

#include "config/config_serialize.h"

/* The function that the child runs; it writes to out, and need not free
 * anything. */
typedef void config_child_fn(const char *path, struct config_section *sections,
	size_t n, struct config_serializer *out);

/*
 * Calls fn in a child, reports the problems that it sends, and takes over its
 * values.  0, or -1 after a report: the file has an error, the child could not
 * be made or ended early, or half a minute passed, which includes further
 * children where one was stuck for 3 s, or the first one was silent for 10 s.
 */
int config_child(config_child_fn *fn, const char *path,
	struct config_section *sections, size_t n, config_report_fn *report,
	void *arg);

struct config_child_limits {
	int64_t all_ms;   /* for all children together; above 0 */
	int64_t stuck_ms; /* without CPU time, for one child; above 0 */
	/* Without data from the first child, which may spin on a lock and so
	 * use CPU time; 0: no limit. */
	int64_t silent_ms;
};

/* The same, with other time limits. */
int config_child_within(const struct config_child_limits *limits,
	config_child_fn *fn, const char *path, struct config_section *sections,
	size_t n, config_report_fn *report, void *arg);

#endif

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
 * needs no file but those it reads.  There is one thread in it.  The C library
 * keeps its allocator and its streams usable in such a child; OpenSSL, libevent
 * and the log, whose locks another thread may have held, are not touched there.
 * Besides those of reading files it needs the system calls clone, pipe2, poll,
 * wait4 and kill.
 */
#ifndef CONFIG_APART_H
#define CONFIG_APART_H

#include "config/config_flat.h"

/* What runs in the child; it writes to out, and need not free anything. */
typedef void config_apart_fn(const char *path, struct config_section *sections,
	size_t n, struct config_flat_out *out);

/*
 * Calls fn in a child, reports what it tells, and takes its values over.  0, or
 * -1 after a report: of an error in the file, or because the child could not
 * be made, ended early, or took longer than half a minute.
 */
int config_apart(config_apart_fn *fn, const char *path,
	struct config_section *sections, size_t n, config_report_fn *report,
	void *arg);

#endif

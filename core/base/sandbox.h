/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Takes from the process what serving does not need: system calls, by a seccomp
 * filter, and the file system, by Landlock.
 *
 * Neither can be undone, and what the process starts inherits both.  They come
 * after rights_drop(), which sets no_new_privs.  All is [C].
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

/* What is needed besides the server's own set.  Bits. */
#define SANDBOX_PROGRAMS 1U /* to start programs */
#define SANDBOX_SOCKETS  2U /* sockets of any family and type */
#define SANDBOX_WIDE     4U /* all except what sandbox_never lists */

/* A group of system calls, by name. */
struct sandbox_group {
	const char *const *names; /* NULL-terminated */
};

/* The tables, see sandbox_calls.c.  Each ends with a group of NULL. */
extern const struct sandbox_group sandbox_own[];
extern const struct sandbox_group sandbox_never[];

/* NULL if this build can filter system calls; otherwise why it cannot. */
const char *sandbox_why_not(void);

/*
 * Filters the system calls of all threads by the program that is read from
 * `fd` (sandbox_filter.h).  A call that is refused fails with
 * EPERM if it is known to be harmful, and otherwise with ENOSYS, as on an older
 * kernel: a library that is newer than this list then does without.  0, or -1
 * with err; then no filter is in force.
 */
int sandbox_filter_calls(int fd, struct relay_err *err);

/*
 * Restricts what this thread, and threads that it starts from then on, may do
 * with files: make no device; start no program; and write nothing in the
 * folders of the system, except below `writable`.  With SANDBOX_WIDE only
 * devices are refused.  Returns 1, 0 if the kernel has no Landlock, or -1 with
 * err; in the last two cases nothing is restricted.
 */
int sandbox_restrict_files(unsigned needs, const char *const *writable,
	size_t count, struct relay_err *err);

/* Whether the folder, an absolute path without links, is the system's. */
bool sandbox_is_system_folder(const char *path);

#endif

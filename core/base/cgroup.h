/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the process's control groups allow it (cgroups(7), versions 1 and 2).
 * Containers and services set these limits; nothing else that a process can ask
 * shows them.
 */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdint.h>

struct cgroup_limit {
	int64_t most;   /* 0: no limit */
	char file[256]; /* that sets it; "": no limit, or the name is longer */
};

struct cgroup_limits {
	struct cgroup_limit cpus;   /* in thousandths of a CPU */
	struct cgroup_limit memory; /* in bytes */
};

/*
 * Reads the limits of the process's groups and of the groups that contain them,
 * and keeps the lowest of each kind.  `root` is a folder with proc and sys: ""
 * except in tests.  What cannot be read limits nothing.  Any thread.
 */
void cgroup_limits(const char *root, struct cgroup_limits *limits);

#endif

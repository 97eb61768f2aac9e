/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How many workers there are if the option `workers` is 0.
 */
#ifndef WORKER_COUNT_H
#define WORKER_COUNT_H

#include <stdint.h>

struct cgroup_limit;

/*
 * As many as `hint` (the environment variable GOMAXPROCS, which operators of
 * the Go server set), if it is a number above 0; else as many as `cpus`, but no
 * more than the control group's CPU time allows, rounded up.  Names the reason
 * in `why`.
 */
unsigned worker_count_default(unsigned cpus, const struct cgroup_limit *quota,
	const char *hint, const char **why);

/* [C]  How many there are with the option's value, of this machine.  Logs the
 * number and its reason. */
unsigned worker_count(int64_t option, const struct cgroup_limit *quota);

#endif

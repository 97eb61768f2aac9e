/* SPDX-License-Identifier: MPL-2.0 */

/* The number of workers. */

#include <sched.h>
#include <stdlib.h>

#include "base/cgroup.h"
#include "log/log.h"
#include "modules/module.h"
#include "workers/worker_count.h"

static unsigned available_cpus(void)
{
	cpu_set_t set;
	int count = 0;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		count = CPU_COUNT(&set);
	return count < 1 ? 1 : (unsigned)count;
}

static unsigned number_of(const char *text)
{
	char *end = NULL;
	long number = text && *text ? strtol(text, &end, 10) : 0;

	return end && !*end && number > 0 && number <= WORKERS_MAX
		       ? (unsigned)number
		       : 0;
}

unsigned worker_count_default(unsigned cpus, const struct cgroup_limit *quota,
	const char *hint, const char **why)
{
	unsigned hinted = number_of(hint);

	if (hinted) {
		*why = "GOMAXPROCS";
		return hinted;
	}
	if (quota->most > 0 && (quota->most + 999) / 1000 < cpus) {
		*why = quota->file;
		return (unsigned)((quota->most + 999) / 1000);
	}
	*why = "the CPUs that may be used";
	return cpus < WORKERS_MAX ? cpus : WORKERS_MAX;
}

unsigned worker_count(int64_t option, const struct cgroup_limit *quota)
{
	const char *why;
	unsigned count;

	if (option > 0)
		return (unsigned)option;
	count = worker_count_default(
		available_cpus(), quota, getenv("GOMAXPROCS"), &why);
	log_core(RELAY_INFO, "%u worker%s, because of %s", count,
		count == 1 ? "" : "s", *why ? why : "the CPU quota");
	return count;
}

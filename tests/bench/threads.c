/* SPDX-License-Identifier: MPL-2.0 */

/* Reads /proc/PID/task. */

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "threads.h"

/* The first number of schedstat is exact, unlike those of stat. */
static int64_t cpu_ns(int64_t pid, int64_t id)
{
	char path[96];
	int64_t value = 0;
	FILE *f;

	snprintf(path, sizeof(path),
		"/proc/%" PRId64 "/task/%" PRId64 "/schedstat", pid, id);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%" SCNd64, &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

void threads_read(struct threads *out, int64_t pid)
{
	const struct dirent *entry;
	char path[64];
	DIR *folder;

	out->count = 0;
	snprintf(path, sizeof(path), "/proc/%" PRId64 "/task", pid);
	folder = pid ? opendir(path) : NULL;
	while (folder && out->count < THREADS_MOST &&
		(entry = readdir(folder))) {
		int64_t id = strtoll(entry->d_name, NULL, 10);

		if (id > 0)
			out->times[out->count++] =
				(struct thread_time){id, cpu_ns(pid, id)};
	}
	if (folder)
		closedir(folder);
}

static int by_time(const void *one, const void *other)
{
	const struct thread_time *a = one, *b = other;

	return (a->cpu_ns < b->cpu_ns) - (a->cpu_ns > b->cpu_ns);
}

void threads_since(struct threads *after, const struct threads *before)
{
	for (size_t i = 0; i < after->count; i++) {
		for (size_t j = 0; j < before->count; j++) {
			if (before->times[j].id == after->times[i].id)
				after->times[i].cpu_ns -=
					before->times[j].cpu_ns;
		}
	}
	qsort(after->times, after->count, sizeof(after->times[0]), by_time);
}

double threads_balance(const struct threads *used, size_t place)
{
	if (!place || place > used->count || used->times[0].cpu_ns <= 0)
		return 0;
	return (double)used->times[place - 1].cpu_ns /
	       (double)used->times[0].cpu_ns;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* The limits of control groups. */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cgroup.h"

/* A path of the kernel is at most this long. */
#define PATH_ROOM 4096

/* A mounted hierarchy and the process's group in it. */
struct hierarchy {
	const char *root;
	bool cpu, memory, unified;
	char mounted[PATH_ROOM]; /* where */
	char top[PATH_ROOM];     /* the group that is mounted there */
	char group[PATH_ROOM];   /* the process's, below `mounted` */
};

/* Whether `word` is one of the names that commas separate in `list`. */
static bool has_word(const char *list, const char *word)
{
	size_t size = strlen(word);

	while (list) {
		if (strncmp(list, word, size) == 0 &&
			(list[size] == ',' || list[size] == '\0' ||
				list[size] == '\n'))
			return true;
		list = strchr(list, ',');
		list = list ? list + 1 : NULL;
	}
	return false;
}

static FILE *open_below(const char *root, const char *path)
{
	char name[2 * PATH_ROOM];
	int size = snprintf(name, sizeof(name), "%s%s", root, path);

	return size > 0 && (size_t)size < sizeof(name) ? fopen(name, "re")
						       : NULL;
}

/* A line of mountinfo (proc(5)): "36 35 98:0 /top /mounted options - type
 * source options". */
static bool parse_mount(const char *line, struct hierarchy *h)
{
	const char *rest = strstr(line, " - ");
	char type[16], options[256];

	if (!rest ||
		sscanf(line, "%*s %*s %*s %4095s %4095s", h->top, h->mounted) !=
			2 ||
		sscanf(rest, " - %15s %*s %255s", type, options) != 2)
		return false;
	h->unified = strcmp(type, "cgroup2") == 0;
	if (!h->unified && strcmp(type, "cgroup") != 0)
		return false;
	h->cpu = h->unified || has_word(options, "cpu");
	h->memory = h->unified || has_word(options, "memory");
	return h->cpu || h->memory;
}

/* Sets h->group from a line of /proc/self/cgroup, "4:cpu,cpuacct:/path". */
static bool parse_group(const char *line, struct hierarchy *h)
{
	const char *names = strchr(line, ':');
	const char *path = names ? strchr(names + 1, ':') : NULL;
	char list[256];
	size_t top = strcmp(h->top, "/") == 0 ? 0 : strlen(h->top);

	if (!path || (size_t)(path - names) > sizeof(list))
		return false;
	(void)snprintf(
		list, sizeof(list), "%.*s", (int)(path - names - 1), names + 1);
	if (h->unified ? *list != '\0'
		       : !has_word(list, h->cpu ? "cpu" : "memory"))
		return false;
	path++;
	/* Without a namespace of its own, a container sees the path from the
	 * machine's top group, and has only its own group mounted. */
	if (strncmp(path, h->top, top) == 0 && strchr("/\n", path[top]))
		path += top;
	else
		path = "";
	(void)snprintf(h->group, sizeof(h->group), "%s", path);
	h->group[strcspn(h->group, "\n")] = '\0';
	return true;
}

static bool find_group(struct hierarchy *h)
{
	FILE *file = open_below(h->root, "/proc/self/cgroup");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	while (file && !found && getline(&line, &room, file) > 0)
		found = parse_group(line, h);
	free(line);
	if (file)
		(void)fclose(file);
	return found;
}

/* Reads up to two numbers of a group's file.  How many there were; "max" and -1
 * are none. */
static int read_numbers(const struct hierarchy *h, const char *name,
	struct cgroup_limit *limit, int64_t numbers[2])
{
	char path[2 * PATH_ROOM + 64];
	int size = snprintf(
		path, sizeof(path), "%s%s/%s", h->mounted, h->group, name);
	FILE *file = open_below(h->root, path);
	int count = file ? fscanf(file, "%" SCNd64 " %" SCNd64, &numbers[0],
				   &numbers[1])
			 : 0;

	if (file)
		(void)fclose(file);
	limit->file[0] = '\0';
	if (size > 0 && (size_t)size < sizeof(limit->file))
		memcpy(limit->file, path, (size_t)size + 1);
	return count > 0 && numbers[0] > 0 ? count : 0;
}

static void keep_lower(
	struct cgroup_limit *kept, const struct cgroup_limit *new)
{
	if (new->most > 0 && (kept->most == 0 || new->most < kept->most))
		*kept = *new;
}

static void read_cpus(const struct hierarchy *h, struct cgroup_limits *limits)
{
	struct cgroup_limit found = {0}, period = {0};
	int64_t quota[2], length[2] = {0, 0};

	if (h->unified) {
		if (read_numbers(h, "cpu.max", &found, quota) != 2)
			return;
		length[0] = quota[1];
	} else if (read_numbers(h, "cpu.cfs_quota_us", &found, quota) < 1 ||
		   read_numbers(h, "cpu.cfs_period_us", &period, length) < 1) {
		return;
	}
	/* The kernel's periods are at most one second. */
	if (length[0] <= 0 || quota[0] > INT64_MAX / 1000)
		return;
	found.most = quota[0] * 1000 / length[0];
	keep_lower(&limits->cpus, &found);
}

static void read_memory(const struct hierarchy *h, struct cgroup_limits *limits)
{
	static const char *const v1[] = {"memory.limit_in_bytes", NULL};
	/* Above memory.high the kernel slows the process down. */
	static const char *const v2[] = {"memory.max", "memory.high", NULL};

	for (const char *const *name = h->unified ? v2 : v1; *name; name++) {
		struct cgroup_limit found = {0};
		int64_t bytes[2];

		if (read_numbers(h, *name, &found, bytes) < 1)
			continue;
		/* Version 1 writes a number of this size for "no limit". */
		found.most = bytes[0] < INT64_MAX / 2 ? bytes[0] : 0;
		keep_lower(&limits->memory, &found);
	}
}

/* Also looks at the groups that contain the process's one. */
static void read_groups(struct hierarchy *h, struct cgroup_limits *limits)
{
	for (;;) {
		char *slash;

		if (h->cpu)
			read_cpus(h, limits);
		if (h->memory)
			read_memory(h, limits);
		slash = strrchr(h->group, '/');
		if (!slash)
			return;
		*slash = '\0';
	}
}

void cgroup_limits(const char *root, struct cgroup_limits *limits)
{
	FILE *file = open_below(root, "/proc/self/mountinfo");
	struct hierarchy *h = calloc(1, sizeof(*h));
	char *line = NULL;
	size_t room = 0;

	memset(limits, 0, sizeof(*limits));
	while (file && h && getline(&line, &room, file) > 0) {
		h->root = root;
		if (parse_mount(line, h) && find_group(h))
			read_groups(h, limits);
	}
	free(line);
	free(h);
	if (file)
		(void)fclose(file);
}

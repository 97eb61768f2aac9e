/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Landlock, by system calls of its own, since C libraries have no functions for
 * it.
 *
 * Reads are not restricted, nor writes outside of the system's folders: a
 * reload may name any file, and a rule stays with the folder that it was made
 * for, even if that is removed and made again.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sandbox.h"

static const char *const system_folders[] = {"/bin", "/boot", "/dev", "/etc",
	"/lib", "/lib32", "/lib64", "/libx32", "/proc", "/sbin", "/sys",
	"/usr"};

bool sandbox_is_system_folder(const char *path)
{
	for (size_t i = 0;
		i < sizeof(system_folders) / sizeof(system_folders[0]); i++) {
		size_t len = strlen(system_folders[i]);

		if (strncmp(path, system_folders[i], len) == 0 &&
			(path[len] == '/' || path[len] == '\0'))
			return true;
	}
	return strcmp(path, "/") == 0;
}

#if defined(SYS_landlock_create_ruleset) && defined(__has_include)
#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#endif
#endif

#ifdef LANDLOCK_ACCESS_FS_EXECUTE

/* Newer than some headers, by their version of Landlock. */
#define ACCESS_REFER    (1ULL << 13) /* 2 */
#define ACCESS_TRUNCATE (1ULL << 14) /* 3 */

#define DEVICES (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)
/* What a rule for a file, not a folder, may have. */
#define WRITE_FILE (LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)
#define WRITE                                                                  \
	(WRITE_FILE | ACCESS_REFER | LANDLOCK_ACCESS_FS_REMOVE_DIR |           \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | \
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |   \
		LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM)

static uint64_t handled(unsigned needs, int version)
{
	uint64_t access = DEVICES;

	if (!(needs & SANDBOX_WIDE))
		access |= WRITE;
	if (!(needs & (SANDBOX_WIDE | SANDBOX_PROGRAMS)))
		access |= LANDLOCK_ACCESS_FS_EXECUTE;
	if (version < 2)
		access &= ~ACCESS_REFER;
	if (version < 3)
		access &= ~ACCESS_TRUNCATE;
	return access;
}

/* What cannot be opened is not there: nothing can be written to it. */
static int allow(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = {.allowed_access = access};
	int result;

	beneath.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (beneath.parent_fd < 0)
		return 0;
	result = (int)syscall(SYS_landlock_add_rule, rules,
		LANDLOCK_RULE_PATH_BENEATH, &beneath, 0U);
	(void)close(beneath.parent_fd);
	return result;
}

/* Each folder of the root that is not the system's.  Links are left out: what
 * they lead to is below another folder. */
static int allow_others(int rules, uint64_t access)
{
	DIR *root = opendir("/");
	const struct dirent *entry;
	char path[sizeof(entry->d_name) + 1];
	int result = 0;

	if (!root)
		return -1;
	while (result == 0 && (entry = readdir(root))) {
		if (strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0 ||
			(entry->d_type != DT_DIR &&
				entry->d_type != DT_UNKNOWN))
			continue;
		(void)snprintf(path, sizeof(path), "/%s", entry->d_name);
		if (!sandbox_is_system_folder(path))
			result = allow(rules, path, access);
	}
	(void)closedir(root);
	return result;
}

static int allow_all(
	int rules, uint64_t access, const char *const *writable, size_t count)
{
	/* Devices such as /dev/null; none can be made or removed. */
	if (allow_others(rules, access & WRITE) != 0 ||
		allow(rules, "/dev", access & WRITE_FILE) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (allow(rules, writable[i], access & WRITE) != 0)
			return -1;
	return 0;
}

int sandbox_restrict_files(unsigned needs, const char *const *writable,
	size_t count, struct relay_err *err)
{
	struct landlock_ruleset_attr attr = {0};
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0U,
		LANDLOCK_CREATE_RULESET_VERSION);
	int rules, result = 0;

	if (version < 1)
		return 0;
	attr.handled_access_fs = handled(needs, version);
	rules = (int)syscall(
		SYS_landlock_create_ruleset, &attr, sizeof(attr), 0U);
	if (rules < 0)
		goto error;
	if (!(needs & SANDBOX_WIDE))
		result = allow_all(
			rules, attr.handled_access_fs, writable, count);
	if (result == 0)
		result = (int)syscall(SYS_landlock_restrict_self, rules, 0U);
	if (result != 0) {
		result = errno;
		(void)close(rules);
		errno = result;
		goto error;
	}
	(void)close(rules);
	return 1;

error:
	return relay_fail(err, "cannot restrict files: %s", strerror(errno));
}

#else

int sandbox_restrict_files(unsigned needs, const char *const *writable,
	size_t count, struct relay_err *err)
{
	(void)needs;
	(void)writable;
	(void)count;
	(void)err;
	return 0;
}

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* Gives up rights, and checks that they are gone. */

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <strelaysrv/units.h>

#include "base/rights.h"

/* Whether the process gave up its capabilities.  Global, since rights belong to
 * the process. */
static bool dropped;

/* User and group.  getpwnam() and the like are not thread-safe; only [C] calls
 * them. */

/* Reads a numeric id.  (uid_t)-1 is refused: for the kernel it means "do not
 * change". */
static int read_number(const char *text, unsigned *out)
{
	int64_t number;

	if (text[strspn(text, "0123456789")] != '\0' ||
		relay_int_parse(text, &number, NULL) || number >= UINT32_MAX)
		return -1;
	*out = (unsigned)number;
	return 0;
}

static int find_user(
	const char *name, struct rights *out, struct relay_err *err)
{
	const struct passwd *user;

	errno = 0;
	/* cppcheck-suppress getpwnamCalled */
	user = getpwnam(name);
	if (user) {
		out->uid = user->pw_uid;
		out->gid = user->pw_gid;
		return 0;
	}
	if (errno && errno != ENOENT && errno != ESRCH)
		return relay_fail(err, "cannot look up the user \"%s\": %s",
			name, strerror(errno));
	if (read_number(name, &out->uid))
		return relay_fail(err,
			"there is no user \"%s\"; make one, or name another "
			"with the option user",
			name);
	/* cppcheck-suppress getpwuidCalled */
	user = getpwuid(out->uid);
	out->gid = user ? user->pw_gid : (gid_t)-1;
	return 0;
}

static int find_group(
	const char *name, struct rights *out, struct relay_err *err)
{
	const struct group *group;

	errno = 0;
	/* cppcheck-suppress getgrnamCalled */
	group = getgrnam(name);
	if (group) {
		out->gid = group->gr_gid;
		return 0;
	}
	if (errno && errno != ENOENT && errno != ESRCH)
		return relay_fail(err, "cannot look up the group \"%s\": %s",
			name, strerror(errno));
	if (read_number(name, &out->gid))
		return relay_fail(err,
			"there is no group \"%s\"; make one, or name another "
			"with the option group",
			name);
	return 0;
}

int rights_find(const char *user, const char *group, struct rights *out,
	struct relay_err *err)
{
	*out = (struct rights){0};
	if (!*user && *group)
		return relay_fail(err,
			"the option group needs the option user: a group alone "
			"takes no rights away");
	if (!*user)
		return 0;
	out->change = true;
	if (find_user(user, out, err) ||
		(*group && find_group(group, out, err)))
		return -1;
	if (out->uid == 0)
		return relay_fail(err,
			"the user \"%s\" is root; name one with fewer rights, "
			"or "
			"leave the option user out",
			user);
	if (out->gid == (gid_t)-1)
		return relay_fail(err,
			"no user has the number %s, and so no group: name one "
			"with the option group",
			user);
	(void)snprintf(out->user, sizeof(out->user), "%s", user);
	if (*group)
		(void)snprintf(out->group, sizeof(out->group), "%s", group);
	else
		(void)snprintf(out->group, sizeof(out->group), "%u",
			(unsigned)out->gid);
	return 0;
}

bool rights_will_change(const struct rights *rights)
{
	return rights->change && geteuid() == 0;
}

int rights_check(const struct rights *rights, struct relay_err *err)
{
	if (!rights->change || geteuid() == 0)
		return 0;
	if (geteuid() != rights->uid)
		return relay_fail(err,
			"cannot become the user %s: only root can; start as "
			"root or as %s",
			rights->user, rights->user);
	if (getegid() != rights->gid)
		return relay_fail(err,
			"cannot get the group %s: only root can; start as root "
			"or with that group",
			rights->group);
	return 0;
}

/* Core dumps. */

static int set_dumpable(bool dumpable, struct relay_err *err)
{
	if (prctl(PR_SET_DUMPABLE, dumpable ? 1UL : 0UL, 0UL, 0UL, 0UL) == 0)
		return 0;
	return relay_fail(err, "cannot %s core dumps: %s",
		dumpable ? "allow" : "forbid", strerror(errno));
}

int rights_limit_dumps(bool allowed, struct relay_err *err)
{
	static const struct rlimit none = {0, 0};

	if (allowed)
		return 0;
	/* The first call is sufficient; the second makes it visible in
	 * /proc/PID/limits. */
	if (set_dumpable(false, err))
		return -1;
	if (setrlimit(RLIMIT_CORE, &none))
		return relay_fail(
			err, "cannot forbid core dumps: %s", strerror(errno));
	return 0;
}

/* Capabilities. */

struct caps {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct set[_LINUX_CAPABILITY_U32S_3];
};

static struct caps no_caps(void)
{
	struct caps caps = {.head = {.version = _LINUX_CAPABILITY_VERSION_3}};

	return caps;
}

/* 1 or 0; -1: it is unknown. */
static int has_caps(void)
{
	struct caps caps = no_caps();

	if (syscall(SYS_capget, &caps.head, caps.set) != 0)
		return -1;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if (caps.set[i].effective || caps.set[i].permitted ||
			caps.set[i].inheritable)
			return 1;
	return 0;
}

/* The bounding set limits what a program gains when it is executed.  That is
 * forbidden by no_new_privs too, so a failure to shrink the set is harmless. */
static void shrink_bounding_set(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap) != 0)
			return;
}

static int clear_caps(void)
{
	struct caps caps = no_caps();

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL) !=
			0 &&
		errno != EINVAL) /* a kernel without ambient capabilities */
		return -1;
	return (int)syscall(SYS_capset, &caps.head, caps.set);
}

bool rights_will_lessen(const struct rights *rights)
{
	return rights_will_change(rights) ||
	       (geteuid() != 0 && has_caps() != 0);
}

/* The drop. */

static int become(const struct rights *rights, struct relay_err *err)
{
	if (setgroups(0, NULL) != 0)
		return relay_fail(err, "cannot leave the groups of root: %s",
			strerror(errno));
	if (setresgid(rights->gid, rights->gid, rights->gid) != 0)
		return relay_fail(err, "cannot get the group %s: %s",
			rights->group, strerror(errno));
	if (setresuid(rights->uid, rights->uid, rights->uid) != 0)
		return relay_fail(err, "cannot become the user %s: %s",
			rights->user, strerror(errno));
	return 0;
}

/* Checks the result of become(), in addition to its return value. */
static int verify(const struct rights *rights, struct relay_err *err)
{
	uid_t uid[3];
	gid_t gid[3];

	if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 ||
		getresgid(&gid[0], &gid[1], &gid[2]) != 0 ||
		getgroups(0, NULL) != 0)
		return relay_fail(err, "the process still has root's groups");
	for (size_t i = 0; i < 3; i++)
		if (uid[i] != rights->uid || gid[i] != rights->gid)
			return relay_fail(err,
				"the process has not completely switched to "
				"the user %s and the group %s",
				rights->user, rights->group);
	if (setuid(0) == 0 || seteuid(0) == 0)
		return relay_fail(
			err, "the process could still become root again");
	return 0;
}

static int give_up_caps(struct relay_err *err)
{
	/* A sandbox may forbid capset() even if it would change nothing. */
	if (has_caps() == 0)
		return 0;
	if (clear_caps() != 0)
		return relay_fail(err, "cannot give up capabilities: %s",
			strerror(errno));
	return has_caps() == 0
		       ? 0
		       : relay_fail(err, "the process still has capabilities");
}

static int drop_all(const struct rights *rights, struct relay_err *err)
{
	bool root = geteuid() == 0, change = rights_will_change(rights);

	if (!root || change) {
		dropped = has_caps() != 0;
		shrink_bounding_set();
	}
	if (change && become(rights, err) != 0)
		return -1;
	if ((!root || change) && give_up_caps(err) != 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) != 0)
		return relay_fail(
			err, "cannot set no_new_privs: %s", strerror(errno));
	return change ? verify(rights, err) : 0;
}

int rights_drop(
	const struct rights *rights, bool dumps_allowed, struct relay_err *err)
{
	if (drop_all(rights, err) != 0)
		return -1;
	/* The kernel forbids core dumps when the user changes. */
	return set_dumpable(dumps_allowed, err);
}

const char *rights_advice(int error)
{
	return dropped && (error == EACCES || error == EPERM)
		       ? "; the server has given up the rights for that at its "
			 "start: it needs a restart"
		       : "";
}

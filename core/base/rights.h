/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the process may do: it starts with the rights that it was given, and
 * gives up for good what serving does not need.
 *
 * Modules are started afterwards, so that what they can open at the start they
 * can also open at a reload.  All is [C].
 */
#ifndef RIGHTS_H
#define RIGHTS_H

#include <stdbool.h>
#include <sys/types.h>

#include <strelaysrv/err.h>

#define RIGHTS_NAME_MAX 256

/* Who the process is to become. */
struct rights {
	bool change; /* false: the options name nobody, and the rest is unset */
	uid_t uid;
	gid_t gid;
	char user[RIGHTS_NAME_MAX];  /* as the option has it; a group's name */
	char group[RIGHTS_NAME_MAX]; /* or number */
};

/*
 * Looks the two options up; "" is none.  0, or -1 with err: there is no such
 * user or group, a group stands alone, or the user is root.
 */
int rights_find(const char *user, const char *group, struct rights *out,
	struct relay_err *err);
/* Whether the process is somebody else and can become that.  0, or -1. */
int rights_check(const struct rights *rights, struct relay_err *err);
/* Whether rights_drop() will make the process another user. */
bool rights_will_change(const struct rights *rights);

/*
 * No core dump and no debugger gets to see the keys from here on, unless
 * `allowed`: by PR_SET_DUMPABLE, since secrets of all kinds lie all over the
 * heap, where no MADV_DONTDUMP would find them.  It costs the process' own user
 * the sight of /proc/PID/fd and the like.  0, or -1 with err.
 */
int rights_limit_dumps(bool allowed, struct relay_err *err);

/*
 * Becomes that user, without further groups; gives up every capability, unless
 * the process stays root; and no program that it ever runs gets more.  Looks
 * whether all that is so, and cannot be undone.  While there is one thread:
 * each has rights of its own.  0, or -1 with err, and then the process must
 * end.
 */
int rights_drop(
	const struct rights *rights, bool dumps_allowed, struct relay_err *err);

/*
 * After rights_drop(): logs who the process is, and what a reload or another
 * start of that user could not read.  `conf` may be NULL.
 */
void rights_tell(
	const struct rights *rights, const char *conf, const char *keys);

/*
 * What to add to a message of an errno: where it comes of rights_drop(), that
 * a restart is needed; else "".
 */
const char *rights_advice(int error);

#endif

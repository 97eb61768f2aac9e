/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The rights of the process: after its start it permanently gives up those that
 * serving does not need.
 *
 * Modules are started afterwards, so that they can open at a reload whatever
 * they could open at the start.  All is [C].
 */
#ifndef RIGHTS_H
#define RIGHTS_H

#include <stdbool.h>
#include <sys/types.h>

#include <strelaysrv/err.h>

#define RIGHTS_NAME_MAX 256

/* The user and group that the process will change to. */
struct rights {
	bool change; /* false: no user was named; the rest is unset */
	uid_t uid;
	gid_t gid;
	char user[RIGHTS_NAME_MAX];  /* as in the option */
	char group[RIGHTS_NAME_MAX]; /* as in the option, else a number */
};

/*
 * Looks up the values of the options `user` and `group`; "": not set.  0, or -1
 * with err: there is no such user or group, there is a group without a user, or
 * the user is root.
 */
int rights_find(const char *user, const char *group, struct rights *out,
	struct relay_err *err);
/* Checks that the process is that user already, or can become it.  0, or -1
 * with err. */
int rights_check(const struct rights *rights, struct relay_err *err);
/* Whether rights_drop() will change the user of the process. */
bool rights_will_change(const struct rights *rights);
/* Whether it will take rights away from the process, such as capabilities that
 * a service manager has given to a user. */
bool rights_will_lessen(const struct rights *rights);

/*
 * Unless `allowed`, prevents core dumps and debuggers from reading the keys, by
 * PR_SET_DUMPABLE.  MADV_DONTDUMP is not sufficient, since secrets of all kinds
 * are all over the heap.  As a side effect, the process's own user cannot read
 * /proc/PID/fd and similar files.  0, or -1 with err.
 */
int rights_limit_dumps(bool allowed, struct relay_err *err);

/*
 * Changes to that user, without supplementary groups; gives up every
 * capability, unless the process stays root; and forbids that programs which it
 * executes gain rights.  Verifies the result.  It cannot be undone.  Must be
 * called while there is only one thread, since each thread has its own rights.
 * 0, or -1 with err; then the process must end.
 */
int rights_drop(
	const struct rights *rights, bool dumps_allowed, struct relay_err *err);

/*
 * After rights_drop(): logs the user and group of the process, and whether that
 * user cannot read the keys, or run `program`, the file of the server.
 */
void rights_tell(
	const struct rights *rights, const char *program, const char *keys);

/*
 * A text to append to a message about the errno `error`: if rights_drop() may
 * be the cause, it says that a restart is needed; else it is "".
 */
const char *rights_advice(int error);

#endif

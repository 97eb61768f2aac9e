/* SPDX-License-Identifier: MPL-2.0 */

/* The seccomp filter, made with libseccomp. */

#include <errno.h>
#include <stddef.h>

#include "base/sandbox.h"
#include "base/sandbox_filter.h"

#ifdef HAVE_SECCOMP

#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Which argument of clone(2) has the flags. */
#ifdef __s390__
#define CLONE_ARG 1
#else
#define CLONE_ARG 0
#endif

#define NAMESPACES                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |         \
		CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* The type without SOCK_CLOEXEC and SOCK_NONBLOCK. */
#define TYPE_MASK 0xfU

/* The address family that has the highest number of those that are allowed. */
#define LAST_FAMILY AF_NETLINK

static struct scmp_arg_cmp compare(
	unsigned arg, enum scmp_compare how, uint64_t first, uint64_t second)
{
	return (struct scmp_arg_cmp){
		.arg = arg, .op = how, .datum_a = first, .datum_b = second};
}

/* The argument is an int, so that its upper half may be anything. */
static struct scmp_arg_cmp equal(unsigned arg, unsigned value)
{
	return compare(arg, SCMP_CMP_MASKED_EQ, UINT32_MAX, value);
}

static struct scmp_arg_cmp masked(unsigned arg, unsigned mask, unsigned value)
{
	return compare(arg, SCMP_CMP_MASKED_EQ, mask, value);
}

static int add(scmp_filter_ctx filter, uint32_t action, const char *name,
	unsigned count, const struct scmp_arg_cmp *conditions)
{
	int number = seccomp_syscall_resolve_name(name);
	int result;

	if (number == __NR_SCMP_ERROR)
		return 0;
	result = seccomp_rule_add_array(
		filter, action, number, count, conditions);
	/* EACCES: the action is what happens anyway.  EDOM: only another
	 * machine has this call. */
	return result == -EACCES || result == -EDOM ? 0 : result;
}

static int add_groups(scmp_filter_ctx filter, uint32_t action,
	const struct sandbox_group *groups)
{
	int result = 0;

	for (; groups->names && result == 0; groups++)
		for (size_t i = 0; groups->names[i] && result == 0; i++)
			result = add(filter, action, groups->names[i], 0, NULL);
	return result;
}

static int add_if(scmp_filter_ctx filter, uint32_t action, const char *name,
	struct scmp_arg_cmp condition)
{
	return add(filter, action, name, 1, &condition);
}

/* No sockets that see others' packets, and none of the rarely used protocols,
 * in which faults of the kernel are found. */
static int add_sockets(scmp_filter_ctx filter)
{
	static const unsigned types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW};
	int result =
		add_if(filter, SCMP_ACT_ALLOW, "socket", equal(0, AF_UNIX));

	for (size_t i = 0; i < 6 && result == 0; i++) {
		unsigned type = types[i / 2];
		const struct scmp_arg_cmp both[] = {
			equal(0, i % 2 ? AF_INET6 : AF_INET),
			masked(1, TYPE_MASK, type),
		};

		result = add(filter,
			type == SOCK_RAW ? SCMP_ACT_ERRNO(EPERM)
					 : SCMP_ACT_ALLOW,
			"socket", 2, both);
	}
	if (result == 0) {
		/* Routes, addresses and neighbours: the protocol is 0. */
		const struct scmp_arg_cmp routes[] = {
			equal(0, AF_NETLINK),
			equal(2, 0),
		};

		result = add(filter, SCMP_ACT_ALLOW, "socket", 2, routes);
	}
	for (unsigned family = 0; family <= LAST_FAMILY && result == 0;
		family++)
		if (family != AF_UNIX && family != AF_INET &&
			family != AF_INET6 && family != AF_NETLINK)
			result = add_if(filter, SCMP_ACT_ERRNO(EPERM), "socket",
				equal(0, family));
	if (result == 0)
		result = add_if(filter, SCMP_ACT_ERRNO(EPERM), "socket",
			compare(0, SCMP_CMP_GT, LAST_FAMILY, 0));
	return result;
}

static int add_ioctls(scmp_filter_ctx filter)
{
	/* Of sockets, of terminals (isatty), of descriptors, of interfaces. */
	static const unsigned long requests[] = {FIONREAD, SIOCOUTQ, FIONBIO,
		FIOCLEX, FIONCLEX, TCGETS, TIOCGWINSZ, SIOCGIFNAME, SIOCGIFCONF,
		SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFNETMASK, SIOCGIFINDEX,
		SIOCGIFMTU, SIOCGIFHWADDR};
	int result = 0;

	for (size_t i = 0;
		i < sizeof(requests) / sizeof(requests[0]) && result == 0; i++)
		result = add_if(filter, SCMP_ACT_ALLOW, "ioctl",
			equal(1, (unsigned)requests[i]));
	return result;
}

static int add_prctls(scmp_filter_ctx filter)
{
	static const unsigned options[] = {PR_SET_NAME, PR_GET_NAME,
		PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_GET_DUMPABLE,
		PR_CAPBSET_READ, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS,
		PR_SET_TIMERSLACK, 0x53564d41 /* PR_SET_VMA: names memory */};
	int result = 0;

	for (size_t i = 0;
		i < sizeof(options) / sizeof(options[0]) && result == 0; i++)
		result = add_if(
			filter, SCMP_ACT_ALLOW, "prctl", equal(0, options[i]));
	return result;
}

/* New namespaces have been the way into many faults of the kernel. */
static int refuse_namespaces(scmp_filter_ctx filter)
{
	int result = 0;

	for (unsigned bit = 0; bit < 32 && result == 0; bit++)
		if (NAMESPACES & 1U << bit)
			result = add_if(filter, SCMP_ACT_ERRNO(EPERM), "clone",
				masked(CLONE_ARG, 1U << bit, 1U << bit));
	return result;
}

static int add_conditional(scmp_filter_ctx filter, pid_t pid)
{
	int result = add_ioctls(filter);

	if (result == 0)
		result = add_prctls(filter);
	if (result == 0)
		result = add_if(filter, SCMP_ACT_ALLOW, "process_vm_readv",
			equal(0, (unsigned)pid));
	/* Only the process's own. */
	if (result == 0)
		result = add_if(
			filter, SCMP_ACT_ALLOW, "prlimit64", equal(0, 0));
	if (result == 0)
		result = add_if(filter, SCMP_ACT_ALLOW, "clone",
			masked(CLONE_ARG, NAMESPACES, 0));
	return result;
}

/* Calls that other sets than the wide one need a bit for. */
static int add_needed(scmp_filter_ctx filter, unsigned needs)
{
	uint32_t programs = needs & SANDBOX_PROGRAMS ? SCMP_ACT_ALLOW
						     : SCMP_ACT_ERRNO(EPERM);
	int result = add(filter, programs, "execve", 0, NULL);

	if (result == 0)
		result = add(filter, programs, "execveat", 0, NULL);
	if (result != 0)
		return result;
	/* One call for all of sockets, whose arguments are in memory; i386 and
	 * s390x have it. */
	result = add(filter, SCMP_ACT_ALLOW, "socketcall", 0, NULL);
	if (result != 0)
		return result;
	return needs & SANDBOX_SOCKETS
		       ? add(filter, SCMP_ACT_ALLOW, "socket", 0, NULL)
		       : add_sockets(filter);
}

static int fill(scmp_filter_ctx filter, unsigned needs, pid_t pid)
{
	int result = add_groups(filter, SCMP_ACT_ERRNO(EPERM), sandbox_never);

	if (result == 0)
		result = refuse_namespaces(filter);
	/* A crash report reads the process's own stack with it. */
	if (result == 0)
		result = add_if(filter, SCMP_ACT_ERRNO(EPERM),
			"process_vm_readv",
			compare(0, SCMP_CMP_NE, (uint64_t)pid, 0));
	if (result != 0)
		return result;
	/* The arguments of clone3(2) are in memory, where a filter cannot see
	 * them.  C libraries then use clone(2). */
	if (needs & SANDBOX_WIDE)
		return add(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
	result = add_groups(filter, SCMP_ACT_ALLOW, sandbox_own);
	if (result == 0)
		result = add_conditional(filter, pid);
	return result == 0 ? add_needed(filter, needs) : result;
}

static int set_up(scmp_filter_ctx filter)
{
	/* A program of another architecture runs in no thread of this one. */
	int result = seccomp_attr_set(
		filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));

	/* A tree instead of a list, for the costs of each call; libseccomp has
	 * it since 2.5. */
	if (result == 0)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return result;
}

const char *sandbox_why_not(void)
{
	return NULL;
}

static int make(unsigned needs, pid_t pid, int fd)
{
	scmp_filter_ctx filter = seccomp_init(
		needs & SANDBOX_WIDE ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS));
	int result;

	if (!filter)
		return -1;
	result = set_up(filter);
	if (result == 0)
		result = fill(filter, needs, pid);
	if (result == 0)
		result = seccomp_export_bpf(filter, fd);
	seccomp_release(filter);
	return result == 0 ? 0 : -1;
}

/* Makes one and reads it into `out`.  Returns its length in bytes, or -1. */
static ssize_t make_into(unsigned needs, pid_t pid, char *out, size_t room)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t len = -1;

	if (fd < 0)
		return -1;
	if (make(needs, pid, fd) == 0)
		len = pread(fd, out, room, 0);
	(void)close(fd);
	return len;
}

int sandbox_filter_make(unsigned needs, pid_t pid, int fd)
{
	const size_t room = (BPF_MAXINSNS + 1) * sizeof(struct sock_filter);
	char *both = malloc(2 * room);
	int result = -1;
	ssize_t len;

	if (!both)
		return -1;
	len = make_into(needs, pid, both, room);
	/* Where memory was short, libseccomp 2.5 may leave rules out and report
	 * success.  Only two that are equal are whole. */
	if (len > 0 && make_into(needs, pid, both + room, room) == len &&
		memcmp(both, both + room, (size_t)len) == 0 &&
		write(fd, both, (size_t)len) == len)
		result = 0;
	free(both);
	return result;
}

#else

#ifndef SANDBOX_WHY_NOT
#define SANDBOX_WHY_NOT "it was built without libseccomp"
#endif

const char *sandbox_why_not(void)
{
	return SANDBOX_WHY_NOT;
}

int sandbox_filter_make(unsigned needs, pid_t pid, int fd)
{
	(void)needs;
	(void)pid;
	(void)fd;
	return -1;
}

#endif

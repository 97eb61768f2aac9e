/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Tests of the filter of system calls, by an interpreter of its program: it is
 * the same as the kernel's on each machine, also in an emulator, which has no
 * filters.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "base/sandbox_filter.h"

#define PID     42
#define ALLOWED 0

/* Which rule of each filter libseccomp refuses; 0: none. */
static int failing, rules;

/* A build for a sanitizer has no libseccomp, and calls neither. */
__attribute__((weak)) void *__real_seccomp_init(uint32_t action);
void *__wrap_seccomp_init(uint32_t action);

void *__wrap_seccomp_init(uint32_t action)
{
	rules = 0;
	return __real_seccomp_init(action);
}

__attribute__((weak)) int __real_seccomp_rule_add_array(void *filter,
	uint32_t action, int number, unsigned count, const void *conditions);
int __wrap_seccomp_rule_add_array(void *filter, uint32_t action, int number,
	unsigned count, const void *conditions);

/* -1 is the least that an error can be. */
int __wrap_seccomp_rule_add_array(void *filter, uint32_t action, int number,
	unsigned count, const void *conditions)
{
	if (++rules == failing)
		return -1;
	return __real_seccomp_rule_add_array(
		filter, action, number, count, conditions);
}

struct filter {
	struct sock_filter code[BPF_MAXINSNS];
	size_t count;
};

/* Numbers of system calls, as far as this machine has them. */
static const int usual[] = {
#ifdef SYS_mmap
	SYS_mmap,
#endif
#ifdef SYS_mmap2
	SYS_mmap2,
#endif
#ifdef SYS_lseek
	SYS_lseek,
#endif
#ifdef SYS__llseek
	SYS__llseek,
#endif
#ifdef SYS_fcntl
	SYS_fcntl,
#endif
#ifdef SYS_fcntl64
	SYS_fcntl64,
#endif
#ifdef SYS_fstat64
	SYS_fstat64,
#endif
#ifdef SYS_ftruncate64
	SYS_ftruncate64,
#endif
#ifdef SYS_futex
	SYS_futex,
#endif
#ifdef SYS_futex_time64
	SYS_futex_time64,
#endif
#ifdef SYS_clock_gettime
	SYS_clock_gettime,
#endif
#ifdef SYS_clock_gettime64
	SYS_clock_gettime64,
#endif
#ifdef SYS_clock_nanosleep_time64
	SYS_clock_nanosleep_time64,
#endif
#ifdef SYS_ppoll_time64
	SYS_ppoll_time64,
#endif
#ifdef SYS_timerfd_settime64
	SYS_timerfd_settime64,
#endif
#ifdef SYS_utimensat_time64
	SYS_utimensat_time64,
#endif
#ifdef SYS_recvmmsg_time64
	SYS_recvmmsg_time64,
#endif
#ifdef SYS_ugetrlimit
	SYS_ugetrlimit,
#endif
#ifdef SYS_set_thread_area
	SYS_set_thread_area,
#endif
#ifdef SYS_getuid32
	SYS_getuid32,
#endif
#ifdef SYS_fchown32
	SYS_fchown32,
#endif
#ifdef SYS_socketcall
	SYS_socketcall, /* glibc makes all sockets with it */
#endif
	SYS_read,
	SYS_write,
	SYS_close,
	SYS_mprotect,
	SYS_munmap,
	SYS_epoll_pwait,
	SYS_epoll_ctl,
	SYS_splice,
	SYS_openat,
	SYS_statx,
	SYS_getdents64,
	SYS_getrandom,
	SYS_exit_group,
	SYS_rt_sigprocmask,
	SYS_bind,
	SYS_accept4,
	SYS_setsockopt,
	SYS_recvmsg,
};

static uint32_t jump(const struct sock_filter *at, uint32_t value)
{
	bool holds = false;

	switch (BPF_OP(at->code)) {
	case BPF_JA:
		return at->k;
	case BPF_JEQ:
		holds = value == at->k;
		break;
	case BPF_JGT:
		holds = value > at->k;
		break;
	case BPF_JGE:
		holds = value >= at->k;
		break;
	case BPF_JSET:
		holds = value & at->k;
		break;
	default:
		fail_msg("jump %#x", at->code);
	}
	return holds ? at->jt : at->jf;
}

/* What the program returns for a call. */
static uint32_t run(
	const struct filter *filter, const struct seccomp_data *call)
{
	uint32_t value = 0;

	/* Jumps lead forward only. */
	for (size_t i = 0; i < filter->count; i++) {
		const struct sock_filter *at = &filter->code[i];

		switch (BPF_CLASS(at->code)) {
		case BPF_LD:
			assert_int_equal(at->code, BPF_LD | BPF_W | BPF_ABS);
			assert_true(at->k <= sizeof(*call) - sizeof(value));
			memcpy(&value, (const char *)call + at->k,
				sizeof(value));
			break;
		case BPF_ALU:
			assert_int_equal(at->code, BPF_ALU | BPF_AND | BPF_K);
			value &= at->k;
			break;
		case BPF_JMP:
			i += jump(at, value);
			break;
		default:
			assert_int_equal(at->code, BPF_RET | BPF_K);
			return at->k;
		}
	}
	fail_msg("the program has no end");
	return 0;
}

/* ALLOWED, or the error that the call ends with. */
static int ask(const struct filter *filter, int number, uint64_t first,
	uint64_t second, uint64_t third)
{
	struct seccomp_data call = {
		.nr = number, .args = {first, second, third}};
	uint32_t answer;

	/* The program begins with the question for the architecture. */
	assert_int_equal(
		filter->code[0].k, offsetof(struct seccomp_data, arch));
	call.arch = filter->code[1].k;
	answer = run(filter, &call);
	if (answer == SECCOMP_RET_ALLOW)
		return ALLOWED;
	assert_int_equal(answer & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO);
	return (int)(answer & SECCOMP_RET_DATA);
}

/* Owned by the caller; NULL if this build has no sandbox. */
static struct filter *make(unsigned needs)
{
	struct filter *filter = calloc(1, sizeof(*filter));
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t len;

	assert_non_null(filter);
	assert_true(fd >= 0);
	if (sandbox_why_not()) {
		assert_int_equal(sandbox_filter_make(needs, PID, fd), -1);
		(void)close(fd);
		free(filter);
		return NULL;
	}
	assert_int_equal(sandbox_filter_make(needs, PID, fd), 0);
	len = pread(fd, filter->code, sizeof(filter->code), 0);
	(void)close(fd);
	assert_true(len > 0);
	filter->count = (size_t)len / sizeof(filter->code[0]);
	assert_int_equal(filter->count * sizeof(filter->code[0]), len);
	return filter;
}

static void every_set_allows_what_c_libraries_use(void **state)
{
	(void)state;
	for (unsigned needs = 0; needs < 8; needs++) {
		struct filter *filter = make(needs);

		for (size_t i = 0;
			filter && i < sizeof(usual) / sizeof(usual[0]); i++)
			if (ask(filter, usual[i], 0, 0, 0) != ALLOWED)
				fail_msg("needs %u: call %d", needs, usual[i]);
		free(filter);
	}
}

static void every_set_refuses_what_harms_others(void **state)
{
	static const int calls[] = {SYS_ptrace, SYS_mount, SYS_unshare,
		SYS_setns, SYS_bpf, SYS_init_module, SYS_process_vm_writev,
		SYS_reboot, SYS_keyctl};

	(void)state;
	for (unsigned needs = 0; needs < 8; needs++) {
		struct filter *filter = make(needs);

		for (size_t i = 0;
			filter && i < sizeof(calls) / sizeof(calls[0]); i++)
			assert_int_equal(ask(filter, calls[i], 0, 0, 0), EPERM);
		free(filter);
	}
}

/* The flags are the first argument, or the second one. */
#ifdef __s390__
#define CLONE(flags) ask(filter, SYS_clone, CLONE_NEWNET, flags, 0)
#else
#define CLONE(flags) ask(filter, SYS_clone, flags, CLONE_NEWNET, 0)
#endif

static void clone_makes_threads_and_no_namespaces(void **state)
{
	const uint64_t thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;

	(void)state;
	for (unsigned needs = 0; needs < 8; needs++) {
		struct filter *filter = make(needs);

		if (!filter)
			return;
		assert_int_equal(CLONE(thread), ALLOWED);
		assert_int_equal(CLONE(SIGCHLD), ALLOWED);
		assert_int_equal(CLONE(SIGCHLD | CLONE_NEWNET), EPERM);
		assert_int_equal(CLONE(thread | CLONE_NEWUSER), EPERM);
		assert_int_equal(ask(filter, SYS_clone3, 0, 0, 0), ENOSYS);
		free(filter);
	}
}

static void reads_only_its_own_memory(void **state)
{
	struct filter *filter = make(0);

	(void)state;
	if (!filter)
		return;
	assert_int_equal(ask(filter, SYS_process_vm_readv, PID, 0, 0), ALLOWED);
	assert_int_equal(
		ask(filter, SYS_process_vm_readv, PID + 1, 0, 0), EPERM);
	free(filter);
}

static void programs_are_started_by_need(void **state)
{
	(void)state;
	for (unsigned needs = 0; needs < 2; needs++) {
		struct filter *filter = make(needs);

		if (filter)
			assert_int_equal(ask(filter, SYS_execve, 0, 0, 0),
				needs ? ALLOWED : EPERM);
		free(filter);
	}
}

static void sockets_are_of_few_kinds(void **state)
{
	const uint64_t flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
	struct filter *filter = make(0);

	(void)state;
	if (!filter)
		return;
#define SOCKET(family, type, protocol)                                         \
	ask(filter, SYS_socket, family, type, protocol)
	assert_int_equal(SOCKET(AF_UNIX, SOCK_STREAM | flags, 0), ALLOWED);
	assert_int_equal(SOCKET(AF_INET, SOCK_STREAM | flags, 0), ALLOWED);
	assert_int_equal(SOCKET(AF_INET6, SOCK_DGRAM | flags, 0), ALLOWED);
	assert_int_equal(SOCKET(AF_INET, SOCK_RAW | flags, 1), EPERM);
	assert_int_equal(SOCKET(AF_PACKET, SOCK_RAW, 0), EPERM);
	assert_int_equal(SOCKET(AF_ALG, SOCK_SEQPACKET, 0), EPERM);
	assert_int_equal(SOCKET(AF_NETLINK, SOCK_RAW, 0), ALLOWED);
	assert_int_not_equal(SOCKET(AF_NETLINK, SOCK_RAW, 4), ALLOWED);
	free(filter);
}

/* A filter that lacks one is not used. */
static void each_rule_is_needed(void **state)
{
	static const unsigned sets[] = {0, SANDBOX_WIDE};
	int fd = memfd_create("filter", MFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; !sandbox_why_not() && i < 2; i++) {
		failing = 1;
		while (sandbox_filter_make(sets[i], PID, fd) != 0) {
			assert_int_equal(rules, failing);
			assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
			failing++;
		}
		/* That was one more than there are. */
		assert_int_equal(rules, failing - 1);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	}
	failing = 0;
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_set_allows_what_c_libraries_use),
		cmocka_unit_test(every_set_refuses_what_harms_others),
		cmocka_unit_test(clone_makes_threads_and_no_namespaces),
		cmocka_unit_test(reads_only_its_own_memory),
		cmocka_unit_test(programs_are_started_by_need),
		cmocka_unit_test(sockets_are_of_few_kinds),
		cmocka_unit_test(each_rule_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

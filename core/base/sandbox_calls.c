/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Which system calls the sandbox knows, by name.  A name that this machine or
 * this libseccomp does not have is skipped.  Calls with conditions on their
 * arguments are in sandbox_filter.c.
 */

#include <stddef.h>

#include "base/sandbox.h"

/* C libraries differ in which of several calls they use for the same, and so do
 * machines of 32 bits (names with 64 and time64). */

static const char *const memory[] = {"brk", "madvise", "mincore", "mlock",
	"mlock2", "mmap", "mmap2", "mprotect", "mremap", "msync", "munlock",
	"munmap", "mseal", NULL};

static const char *const threads[] = {"arch_prctl", "cacheflush", "exit",
	"exit_group", "fork", "futex", "futex_time64", "futex_wait",
	"futex_waitv", "futex_wake", "futex_requeue", "get_robust_list",
	"get_thread_area", "getcpu", "gettid", "membarrier",
	"riscv_flush_icache", "riscv_hwprobe", "rseq", "sched_get_priority_max",
	"sched_get_priority_min", "sched_getaffinity", "sched_getattr",
	"sched_getparam", "sched_getscheduler", "sched_setaffinity",
	"sched_yield", "set_robust_list", "set_thread_area", "set_tid_address",
	"set_tls", "vfork", "wait4", "waitid", "waitpid", NULL};

static const char *const signals[] = {"alarm", "getitimer", "kill", "pause",
	"restart_syscall", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
	"rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
	"rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "setitimer", "sigaction",
	"sigaltstack", "signal", "signalfd", "signalfd4", "sigpending",
	"sigprocmask", "sigreturn", "sigsuspend", "tgkill", "tkill", NULL};

static const char *const time_calls[] = {"clock_getres", "clock_getres_time64",
	"clock_gettime", "clock_gettime64", "clock_nanosleep",
	"clock_nanosleep_time64", "gettimeofday", "nanosleep", "time",
	"timer_create", "timer_delete", "timer_getoverrun", "timer_gettime",
	"timer_gettime64", "timer_settime", "timer_settime64", "timerfd_create",
	"timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
	"timerfd_settime64", "times", NULL};

/* They can only take more away; the sandbox itself uses them after the filter.
 */
static const char *const restrictions[] = {"landlock_add_rule",
	"landlock_create_ruleset", "landlock_restrict_self", NULL};

/* A process may ask for its ids, and not change them. */
static const char *const identity[] = {"capget", "getegid", "getegid32",
	"geteuid", "geteuid32", "getgid", "getgid32", "getgroups",
	"getgroups32", "getpgid", "getpgrp", "getpid", "getppid", "getpriority",
	"getrandom", "getresgid", "getresgid32", "getresuid", "getresuid32",
	"getrlimit", "getrusage", "getsid", "getuid", "getuid32", "setpgid",
	"setrlimit", "setsid", "sysinfo", "ugetrlimit", "umask", "uname", NULL};

static const char *const events[] = {"_newselect", "epoll_create",
	"epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
	"epoll_wait", "eventfd", "eventfd2", "inotify_add_watch",
	"inotify_init", "inotify_init1", "inotify_rm_watch", "poll", "ppoll",
	"ppoll_time64", "pselect6", "pselect6_time64", "select", NULL};

/* socket(2) is in sandbox_filter.c. */
static const char *const network[] = {"accept", "accept4", "bind", "connect",
	"getpeername", "getsockname", "getsockopt", "listen", "recv",
	"recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "send",
	"sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socketpair",
	NULL};

static const char *const transfer[] = {"copy_file_range", "pipe", "pipe2",
	"pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2",
	"read", "readv", "sendfile", "sendfile64", "splice", "tee", "vmsplice",
	"write", "writev", NULL};

static const char *const files[] = {"_llseek", "access", "chdir", "chmod",
	"chown", "chown32", "close", "close_range", "creat", "dup", "dup2",
	"dup3", "faccessat", "faccessat2", "fadvise64", "fadvise64_64",
	"arm_fadvise64_64", "fallocate", "fchdir", "fchmod", "fchmodat",
	"fchmodat2", "fchown", "fchown32", "fchownat", "fcntl", "fcntl64",
	"fdatasync", "fgetxattr", "flock", "fstat", "fstat64", "fstatat64",
	"fstatfs", "fstatfs64", "fsync", "ftruncate", "ftruncate64",
	"futimesat", "getcwd", "getdents", "getdents64", "getxattr",
	"lgetxattr", "link", "linkat", "lseek", "lstat", "lstat64", "mkdir",
	"mkdirat", "newfstatat", "oldfstat", "oldlstat", "oldstat", "open",
	"openat", "openat2", "readahead", "readlink", "readlinkat", "rename",
	"renameat", "renameat2", "rmdir", "stat", "stat64", "statfs",
	"statfs64", "statx", "sync_file_range", "syncfs", "truncate",
	"truncate64", "unlink", "unlinkat", "utime", "utimensat",
	"utimensat_time64", "utimes", NULL};

const struct sandbox_group sandbox_own[] = {{memory}, {threads}, {signals},
	{time_calls}, {identity}, {restrictions}, {events}, {network},
	{transfer}, {files}, {NULL}};

/* Refused with EPERM by every set. */

static const char *const other_processes[] = {"kcmp", "pidfd_getfd",
	"process_madvise", "process_mrelease", "process_vm_writev", "ptrace",
	NULL};

static const char *const kernel[] = {"acct", "bpf", "create_module",
	"delete_module", "finit_module", "get_kernel_syms", "init_module",
	"ioperm", "iopl", "kexec_file_load", "kexec_load", "lookup_dcookie",
	"nfsservctl", "perf_event_open", "query_module", "quotactl",
	"quotactl_fd", "reboot", "swapoff", "swapon", "syslog", "uselib",
	"userfaultfd", "vhangup", "vm86", "vm86old", NULL};

static const char *const mounts[] = {"chroot", "fsconfig", "fsmount", "fsopen",
	"fspick", "mount", "mount_setattr", "move_mount", "open_by_handle_at",
	"open_tree", "pivot_root", "setns", "umount", "umount2", "unshare",
	NULL};

static const char *const clocks[] = {"adjtimex", "clock_adjtime",
	"clock_adjtime64", "clock_settime", "clock_settime64", "setdomainname",
	"sethostname", "settimeofday", "stime", NULL};

static const char *const keys[] = {"add_key", "keyctl", "request_key", NULL};

const struct sandbox_group sandbox_never[] = {
	{other_processes}, {kernel}, {mounts}, {clocks}, {keys}, {NULL}};

/* SPDX-License-Identifier: MPL-2.0 */

/* tempter - tries what the sandbox forbids, and logs what came of each. */

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <strelaysrv/module.h>

#if defined(NEEDS)
#define FLAGS (RELAY_CONFINED | RELAY_NEEDS_PROGRAMS | RELAY_NEEDS_SOCKETS)
#elif defined(CONFINED)
#define FLAGS RELAY_CONFINED
#else
#define FLAGS 0
#endif

struct conf {
	const char *file, *device, *written;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, file, const char *, "file", RELAY_STRING, "", 0,
		0, "a file to be made"),
	RELAY_OPT(struct conf, device, const char *, "device", RELAY_STRING, "",
		0, 0, "a device to be made"),
	RELAY_OPT(struct conf, written, const char *, "written", RELAY_STRING,
		"", 0, 0, "a file to be made that the server knows of",
		.flags = RELAY_OPTION_WRITTEN),
	RELAY_OPT_END};

/* Each returns 0, or -1 with errno. */

static int leave(int result)
{
	if (result >= 0)
		(void)close(result);
	return result < 0 ? -1 : 0;
}

static int reap(pid_t child)
{
	int status;

	if (child < 0)
		return -1;
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		errno = EIO;
	else
		errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static int run_program(const struct conf *conf)
{
	char name[] = "true";
	char *argv[] = {name, NULL};
	pid_t child = fork();

	(void)conf;
	if (child == 0) {
		(void)execvp(name, argv);
		_exit(errno);
	}
	return reap(child);
}

static int trace(const struct conf *conf)
{
	pid_t child = fork();

	(void)conf;
	if (child == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? errno : 0);
	return reap(child);
}

static int read_memory(const struct conf *conf)
{
	char from = 1, to = 0;
	struct iovec local = {&to, 1}, remote = {&from, 1};

	(void)conf;
	return process_vm_readv(getppid(), &local, 1, &remote, 1, 0) == 1 ? 0
									  : -1;
}

static int mount_something(const struct conf *conf)
{
	/* Would fail in any case: no such folder. */
	(void)conf;
	return mount("none", "/no/such/folder", "tmpfs", 0, NULL);
}

static int new_namespace(const struct conf *conf)
{
	pid_t child = fork();

	(void)conf;
	if (child == 0)
		_exit(unshare(CLONE_NEWUTS) ? errno : 0);
	return reap(child);
}

static int clone_namespace(const struct conf *conf)
{
	pid_t child = (pid_t)syscall(
		SYS_clone, CLONE_NEWUTS | SIGCHLD, NULL, NULL, NULL, NULL);

	(void)conf;
	if (child == 0)
		_exit(0);
	return reap(child);
}

static int load_bpf(const struct conf *conf)
{
	(void)conf;
	return (int)syscall(SYS_bpf, -1, NULL, 0);
}

static int packets(const struct conf *conf)
{
	(void)conf;
	return leave(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int raw_socket(const struct conf *conf)
{
	(void)conf;
	return leave(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1));
}

static int other_family(const struct conf *conf)
{
	(void)conf;
	return leave(socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

static int other_netlink(const struct conf *conf)
{
	(void)conf;
	return leave(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 4));
}

static int become_other(const struct conf *conf)
{
	(void)conf;
	return (int)syscall(SYS_setresuid, getuid(), getuid(), getuid());
}

static int type_for_others(const struct conf *conf)
{
	const char byte = ' ';

	(void)conf;
	return ioctl(-1, TIOCSTI, &byte);
}

static int future_call(const struct conf *conf)
{
	(void)conf;
	return (int)syscall(1000);
}

static int write_file(const char *path)
{
	int result = leave(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

	if (result == 0)
		(void)unlink(path);
	return result;
}

static int system_file(const struct conf *conf)
{
	return write_file(conf->file);
}

static int written_file(const struct conf *conf)
{
	return write_file(conf->written);
}

static int make_device(const struct conf *conf)
{
	int result = mknod(conf->device, S_IFCHR | 0600, 0x103);

	if (result == 0)
		(void)unlink(conf->device);
	return result;
}

static int own_socket(const struct conf *conf)
{
	(void)conf;
	return leave(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0));
}

static const struct temptation {
	const char *name;
	int (*try)(const struct conf *conf);
} temptations[] = {
	{"program", run_program},
	{"trace", trace},
	{"memory", read_memory},
	{"mount", mount_something},
	{"namespace", new_namespace},
	{"clone", clone_namespace},
	{"bpf", load_bpf},
	{"packets", packets},
	{"raw", raw_socket},
	{"family", other_family},
	{"netlink", other_netlink},
	{"user", become_other},
	{"type", type_for_others},
	{"future", future_call},
	{"system-file", system_file},
	{"written-file", written_file},
	{"device", make_device},
	{"own-socket", own_socket},
};

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	(void)err;
	for (size_t i = 0; i < sizeof(temptations) / sizeof(temptations[0]);
		i++) {
		int result = temptations[i].try(cx->conf);

		relay_log(cx, RELAY_NOTICE, "%s: %s", temptations[i].name,
			result == 0 ? "done" : strerror(errno));
	}
	return 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO(NAME, "1", "tries what the sandbox forbids"),
	.options = options,
	.flags = FLAGS,
	.conf_size = sizeof(struct conf),
	.start = start,
};

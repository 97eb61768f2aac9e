/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A container ends when its process 1 ends.  Were the server process 1, it
 * could not be replaced by a new process at an upgrade, and would have to reap
 * processes that it does not know.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capabilities.h"
#include "supervise.h"

#define NAME "strelaysrv-container: "
/* Processes that drain after an upgrade; more of them are not told to stop, but
 * end with the container. */
#define OTHERS_MOST 16
#define NOT_FOUND   127
#define BY_SIGNAL   128 /* plus its number, as shells tell it */

static const int passed_on[] = {
	SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};

struct supervisor {
	pid_t main;                /* the process that serves */
	pid_t others[OTHERS_MOST]; /* 0: none */
	bool stopping;
	int signals;    /* signalfd */
	int notify;     /* the socket of NOTIFY_SOCKET; -1: none */
	int outer;      /* a socket, to pass messages on; -1: none */
	int code;       /* of the main process, once it has ended */
	sigset_t block; /* what `signals` reads */
};

static int complain(const char *what)
{
	(void)fprintf(stderr, NAME "%s: %s\n", what, strerror(errno));
	return -1;
}

/* The messages of the server. */

static int connect_outer(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	len += offsetof(struct sockaddr_un, sun_path) + (path[0] == '/');
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address,
			       (socklen_t)len) != 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

/* Without a name, the kernel chooses one in the abstract space, which needs no
 * folder that can be written. */
static int open_notify(struct supervisor *all)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(sa_family_t);
	char name[sizeof(address.sun_path) + 1];
	const int on = 1;

	all->outer = connect_outer(getenv("NOTIFY_SOCKET"));
	all->notify =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (all->notify < 0 ||
		setsockopt(all->notify, SOL_SOCKET, SO_PASSCRED, &on,
			sizeof(on)) != 0 ||
		bind(all->notify, (struct sockaddr *)&address, len) != 0)
		return complain("cannot make a socket");
	len = sizeof(address);
	if (getsockname(all->notify, (struct sockaddr *)&address, &len) != 0)
		return complain("cannot name a socket");
	len -= (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1;
	(void)snprintf(
		name, sizeof(name), "@%.*s", (int)len, address.sun_path + 1);
	return setenv("NOTIFY_SOCKET", name, 1);
}

static void set_main(struct supervisor *all, pid_t pid)
{
	if (pid <= 1 || pid == all->main || kill(pid, 0) != 0)
		return;
	for (size_t i = 0; i < OTHERS_MOST; i++) {
		if (all->others[i])
			continue;
		all->others[i] = all->main;
		break;
	}
	all->main = pid;
	/* The last one was told before it named this one. */
	if (all->stopping)
		(void)kill(pid, SIGTERM);
}

/* Reads and removes MAINPID=, which means nothing outside of the container. */
static void take_message(struct supervisor *all, char *text)
{
	static const char word[] = "MAINPID=";
	char *at = strstr(text, word), *end;

	if (at && (at == text || at[-1] == '\n')) {
		long pid = strtol(at + sizeof(word) - 1, &end, 10);

		end += *end == '\n';
		memmove(at, end, strlen(end) + 1);
		set_main(all, (pid_t)pid);
	}
	if (all->outer >= 0 && *text &&
		send(all->outer, text, strlen(text), MSG_NOSIGNAL) < 0)
		return; /* a server that works is worth more */
}

/* Other processes in the same network namespace can send to the socket. */
static void read_notify(struct supervisor *all)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char text[4096];
	struct iovec part = {.iov_base = text, .iov_len = sizeof(text) - 1};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	const struct cmsghdr *head;
	struct ucred sender;
	ssize_t n = recvmsg(all->notify, &message, MSG_CMSG_CLOEXEC);

	if (n <= 0 || message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return;
	head = CMSG_FIRSTHDR(&message);
	if (!head || head->cmsg_level != SOL_SOCKET ||
		head->cmsg_type != SCM_CREDENTIALS)
		return;
	memcpy(&sender, CMSG_DATA(head), sizeof(sender));
	if (sender.pid != all->main)
		return;
	text[n] = '\0';
	take_message(all, text);
}

/* Signals and ends. */

static void tell(const struct supervisor *all, int number)
{
	(void)kill(all->main, number);
	for (size_t i = 0; all->stopping && i < OTHERS_MOST; i++)
		if (all->others[i])
			(void)kill(all->others[i], number);
}

static bool others_left(const struct supervisor *all)
{
	for (size_t i = 0; i < OTHERS_MOST; i++)
		if (all->others[i])
			return true;
	return false;
}

/* Also reaps what others have left behind. */
static void reap(struct supervisor *all)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < OTHERS_MOST; i++)
			if (all->others[i] == pid)
				all->others[i] = 0;
		if (pid != all->main)
			continue;
		all->main = 0;
		all->code = WIFEXITED(status) ? WEXITSTATUS(status)
					      : BY_SIGNAL + WTERMSIG(status);
	}
}

static void read_signal(struct supervisor *all)
{
	struct signalfd_siginfo info;

	if (read(all->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD) {
		reap(all);
		return;
	}
	/* The kernel sends those of a terminal to all processes there. */
	if (info.ssi_code == SI_KERNEL)
		return;
	if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT ||
		info.ssi_signo == SIGQUIT)
		all->stopping = true;
	if (all->main)
		tell(all, (int)info.ssi_signo);
}

static int run(struct supervisor *all)
{
	struct pollfd wait[2] = {{.fd = all->notify, .events = POLLIN},
		{.fd = all->signals, .events = POLLIN}};

	while (all->main || (all->stopping && others_left(all))) {
		if (poll(wait, 2, -1) < 0 && errno != EINTR) {
			(void)complain("poll");
			return EXIT_FAILURE;
		}
		/* First, since a process that ends names its successor before.
		 */
		if (wait[0].revents)
			read_notify(all);
		else if (wait[1].revents)
			read_signal(all);
	}
	return all->code;
}

/* The start. */

static int start(struct supervisor *all, char *const argv[])
{
	all->main = fork();
	if (all->main < 0)
		return complain("cannot start a process");
	if (all->main > 0)
		return 0;
	(void)sigprocmask(SIG_UNBLOCK, &all->block, NULL);
	(void)execvp(argv[0], argv);
	(void)complain(argv[0]);
	_exit(NOT_FOUND);
}

int supervise(char *const argv[])
{
	struct supervisor all = {.notify = -1, .outer = -1};

	sigemptyset(&all.block);
	sigaddset(&all.block, SIGCHLD);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		sigaddset(&all.block, passed_on[i]);
	/* Where another init is process 1, orphans of the server belong here.
	 */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	all.signals = sigprocmask(SIG_BLOCK, &all.block, NULL) == 0
			      ? signalfd(-1, &all.block, SFD_CLOEXEC)
			      : -1;
	if (all.signals < 0) {
		(void)complain("cannot read signals");
		return EXIT_FAILURE;
	}
	if (open_notify(&all) != 0 || start(&all, argv) != 0)
		return EXIT_FAILURE;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	(void)capabilities_keep(0);
	return run(&all);
}

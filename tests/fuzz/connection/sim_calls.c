/* SPDX-License-Identifier: MPL-2.0 */

/* The system calls for sockets. */

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>

#include "sim.h"
#include "sim_pipe.h"

/* Their declarations in headers of libc have types or attributes of its own. */
int sim_bind(int fd, const struct sockaddr *addr, socklen_t len) __asm__(
	"bind");
#define SIM_PORT         22067 /* to which every client connects */
#define SIM_ORIGINAL_DST 80    /* SO_ORIGINAL_DST */

int sim_getsockname(int fd, struct sockaddr *addr, socklen_t *len) __asm__(
	"getsockname");
int sim_getpeername(int fd, struct sockaddr *addr, socklen_t *len) __asm__(
	"getpeername");
int sim_accept4(int fd, struct sockaddr *from, socklen_t *len,
	int flags) __asm__("accept4");
int sim_accept(int fd, struct sockaddr *from, socklen_t *len) __asm__("accept");
/* Newer machines, such as arm64, have no poll(2) of their own. */
static int real_poll(struct pollfd *fds, nfds_t count, int ms)
{
	struct timespec wait = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	return (int)syscall(
		SYS_ppoll, fds, count, ms < 0 ? NULL : &wait, NULL, 0);
}

int sim_poll(struct pollfd *fds, nfds_t count, int ms) __asm__("poll");

/* What the kernel's own sizing reaches. */
#define TUNED_BYTES 1048576

static int fail(int error)
{
	errno = error;
	return -1;
}

static struct sim_tcp *tcp_of(int fd, const char *call)
{
	struct sim_file *file = sim_file(fd);

	if (!file || file->kind != SIM_TCP)
		sim_die("%s: descriptor %d is no connection", call, fd);
	return file->tcp;
}

/* Listening sockets. */

int socket(int family, int type, int protocol)
{
	if (!sim_here() || (family != AF_INET && family != AF_INET6) ||
		(type & 0xf) != SOCK_STREAM)
		return (int)syscall(SYS_socket, family, type, protocol);
	return sim_file_new(
		SIM_LISTENER, sim_alloc(sizeof(struct sim_listener)));
}

int sim_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sim_file *file = sim_file(fd);

	if (!file)
		return (int)syscall(SYS_bind, fd, addr, len);
	if (len != sizeof(file->listener->addr))
		sim_die("bind: not an address of IPv6");
	memcpy(&file->listener->addr, addr, len);
	return 0;
}

int listen(int fd, int backlog)
{
	struct sim_file *file = sim_file(fd);

	if (!file)
		return (int)syscall(SYS_listen, fd, backlog);
	file->listener->listens = true;
	return 0;
}

int sim_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct sim_file *file = sim_file(fd);

	if (!file)
		return (int)syscall(SYS_getsockname, fd, addr, len);
	if (file->kind != SIM_LISTENER) {
		struct sockaddr_in6 own = tcp_of(fd, "getsockname")->from;

		own.sin6_port = htons(SIM_PORT);
		*len = sizeof(own);
		memcpy(addr, &own, sizeof(own));
		return 0;
	}
	*len = sizeof(file->listener->addr);
	memcpy(addr, &file->listener->addr, *len);
	return 0;
}

int sim_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	if (fd < SIM_FD)
		return (int)syscall(SYS_getpeername, fd, addr, len);
	*len = sizeof(struct sockaddr_in6);
	memcpy(addr, &tcp_of(fd, "getpeername")->from, *len);
	return 0;
}

int sim_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	struct sim_file *file = sim_file(fd);
	struct sim_listener *listener;
	struct sim_tcp *tcp;
	int error;

	if (!file)
		return (int)syscall(SYS_accept4, fd, from, len, flags);
	listener = file->listener;
	if (listener->count == 0)
		return fail(EAGAIN);
	error = sim_fails(SIM_ACCEPT);
	if (error)
		return fail(error);
	tcp = listener->queue[0];
	listener->count--;
	memmove(listener->queue, listener->queue + 1,
		listener->count * sizeof(listener->queue[0]));
	tcp->fd = sim_file_new(SIM_TCP, tcp);
	if (from) {
		memcpy(from, &tcp->from, sizeof(tcp->from));
		*len = sizeof(tcp->from);
	}
	return tcp->fd;
}

int sim_accept(int fd, struct sockaddr *from, socklen_t *len)
{
	return sim_accept4(fd, from, len, 0);
}

/* Bytes. */

ssize_t recv(int fd, void *to, size_t len, int flags)
{
	if (fd < SIM_FD)
		return syscall(SYS_recvfrom, fd, to, len, flags, NULL, NULL);
	return sim_tcp_recv(tcp_of(fd, "recv"), to, len, flags);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
	if (fd < SIM_FD)
		return syscall(SYS_sendto, fd, data, len, flags, NULL, 0);
	return sim_tcp_send(tcp_of(fd, "send"), data, len);
}

static ssize_t read_count(struct sim_file *file, void *to)
{
	uint64_t count = atomic_exchange(&file->count, 0);

	if (!count)
		return fail(EAGAIN);
	memcpy(to, &count, sizeof(count));
	return sizeof(count);
}

ssize_t read(int fd, void *to, size_t len)
{
	struct sim_file *file = sim_file(fd);

	if (!file)
		return syscall(SYS_read, fd, to, len);
	if (file->kind == SIM_EVENT)
		return read_count(file, to);
	if (file->kind == SIM_PIPE_READ)
		return sim_pipe_read(file->pipe, to, len);
	return sim_tcp_recv(tcp_of(fd, "read"), to, len, 0);
}

ssize_t write(int fd, const void *data, size_t len)
{
	struct sim_file *file = sim_file(fd);
	uint64_t more;

	if (!file)
		return syscall(SYS_write, fd, data, len);
	if (file->kind == SIM_EVENT) {
		memcpy(&more, data, sizeof(more));
		atomic_fetch_add(&file->count, more);
		return sizeof(more);
	}
	return sim_tcp_send(tcp_of(fd, "write"), data, len);
}

/* Ends. */

int shutdown(int fd, int how)
{
	if (fd < SIM_FD)
		return (int)syscall(SYS_shutdown, fd, how);
	if (how != SHUT_WR)
		sim_die("shutdown(%d)", how);
	return sim_tcp_shutdown(tcp_of(fd, "shutdown"));
}

static void close_listener(struct sim_listener *listener)
{
	for (unsigned i = 0; i < listener->count; i++) {
		listener->queue[i]->server_reset = true;
		listener->queue[i]->server_gone = true;
	}
	free(listener);
}

int close(int fd)
{
	struct sim_file *file = sim_file(fd);

	if (!file)
		return (int)syscall(SYS_close, fd);
	if (file->kind == SIM_TCP)
		sim_tcp_close(file->tcp);
	else if (file->kind == SIM_LISTENER)
		close_listener(file->listener);
	else if (file->kind == SIM_PIPE_READ || file->kind == SIM_PIPE_WRITE)
		sim_pipe_close(file->pipe);
	else if (file->kind == SIM_EPOLL)
		free(file->epoll);
	sim_file_free(fd);
	return 0;
}

/* Options. */

static bool size_option(struct sim_tcp *tcp, int name, const void *value)
{
	int wanted;

	memcpy(&wanted, value, sizeof(wanted));
	if (name == SO_RCVBUF)
		tcp->rcvbuf = 2 * (size_t)(wanted > 1152 ? wanted : 1152);
	else if (name == SO_SNDBUF)
		tcp->sndbuf = 2 * (size_t)(wanted > 2304 ? wanted : 2304);
	else if (name == SO_BUF_LOCK) {
		if (!(wanted & 1) && tcp->sndbuf < TUNED_BYTES)
			tcp->sndbuf = TUNED_BYTES;
		if (!(wanted & 2) && tcp->rcvbuf < TUNED_BYTES)
			tcp->rcvbuf = TUNED_BYTES;
	} else
		return false;
	sim_tcp_resized(tcp);
	return true;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	struct sim_file *file = sim_file(fd);
	struct linger linger;
	int error;

	if (!file)
		return (int)syscall(
			SYS_setsockopt, fd, level, name, value, len);
	error = sim_fails(SIM_SETSOCKOPT);
	if (error)
		return fail(error);
	if (file->kind != SIM_TCP || level != SOL_SOCKET ||
		size_option(file->tcp, name, value))
		return 0;
	if (name == SO_LINGER) {
		memcpy(&linger, value, sizeof(linger));
		file->tcp->reset_at_close =
			linger.l_onoff && linger.l_linger == 0;
	}
	return 0;
}

static int meminfo(const struct sim_tcp *tcp, void *out)
{
	uint32_t *info = out;

	info[SK_MEMINFO_RMEM_ALLOC] = (uint32_t)tcp->arrived;
	info[SK_MEMINFO_WMEM_QUEUED] = (uint32_t)tcp->down.len;
	return 0;
}

static int tcp_info(const struct sim_tcp *tcp, void *out)
{
	struct tcp_info *info = out;

	info->tcpi_bytes_acked = tcp->acked;
	info->tcpi_min_rtt = tcp->rtt_us;
	info->tcpi_rcv_space = (uint32_t)tcp->rcvbuf / 2;
	return 0;
}

int getsockopt(int fd, int level, int name, void *restrict value,
	socklen_t *restrict len)
{
	struct sim_file *file = sim_file(fd);
	const int yes = 1;
	int error;

	if (!file)
		return (int)syscall(
			SYS_getsockopt, fd, level, name, value, len);
	error = sim_fails(SIM_GETSOCKOPT);
	if (error)
		return fail(error);
	if (level == SOL_SOCKET && name == SO_MEMINFO)
		return meminfo(tcp_of(fd, "SO_MEMINFO"), value);
	if (level == IPPROTO_TCP && name == TCP_INFO)
		return tcp_info(tcp_of(fd, "TCP_INFO"), value);
	if (level == SOL_SOCKET && name == SO_REUSEPORT) {
		memcpy(value, &yes, sizeof(yes));
		return 0;
	}
	/* The firewall has redirected no connection. */
	if ((level == SOL_IP || level == SOL_IPV6) && name == SIM_ORIGINAL_DST)
		return fail(ENOPROTOOPT);
	sim_die("getsockopt(%d, %d)", level, name);
}

int ioctl(int fd, unsigned long request, ...)
{
	struct sim_tcp *tcp;
	va_list ap;
	void *arg;
	int error, n;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (fd < SIM_FD)
		return (int)syscall(SYS_ioctl, fd, request, arg);
	tcp = tcp_of(fd, "ioctl");
	error = sim_fails(SIM_IOCTL);
	if (error)
		return fail(error);
	if (request == FIONREAD)
		n = (int)tcp->arrived;
	else if (request == SIOCOUTQ)
		n = (int)tcp->down.len + (tcp->down_fin && tcp->down.len);
	else
		sim_die("ioctl(%lu)", request);
	memcpy(arg, &n, sizeof(n));
	return 0;
}

int sim_poll(struct pollfd *fds, nfds_t count, int ms)
{
	unsigned wanted = POLLERR | POLLHUP;

	if (count != 1 || fds->fd < SIM_FD) {
		int ready = real_poll(fds, count, ms);

		/* Whoever waited in vain sees that the time has passed: a child
		 * that hangs is given up. */
		if (ready == 0 && ms > 0 && sim_here())
			sim_us += INT64_C(1000) * ms;
		return ready;
	}
	wanted |= (unsigned)fds->events;
	fds->revents = (short)(sim_tcp_mask(tcp_of(fds->fd, "poll")) & wanted);
	return fds->revents != 0;
}

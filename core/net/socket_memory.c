/* SPDX-License-Identifier: MPL-2.0 */

/* The kernel memory of a session's sockets. */

#include <stdint.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

#include "net/socket_memory.h"

/* Linux 5.14; not every C library has it. */
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif

/* The flags of SO_BUF_LOCK, which some C library headers do not define. */
#ifndef SOCK_SNDBUF_LOCK
#define SOCK_SNDBUF_LOCK 1
#endif
#ifndef SOCK_RCVBUF_LOCK
#define SOCK_RCVBUF_LOCK 2
#endif

/*
 * A peer with a shorter round trip than this is on this machine or in the same
 * rack: SHORT_PATH_BYTES per round trip are 1 GB/s and more.
 */
#define SHORT_PATH_US    320
#define SHORT_PATH_BYTES 327680

/* A peer can lengthen its round trips by acknowledging late. */
#define RTT_MAX_US 300000

/* The kernel's default: the second number of tcp_rmem. */
#define OPEN_BYTES 131072

void socket_memory_used(int fd, size_t *received, size_t *unsent)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
		return;
	*received +=
		(size_t)info[SK_MEMINFO_RMEM_ALLOC] + info[SK_MEMINFO_BACKLOG];
	*unsent += info[SK_MEMINFO_WMEM_QUEUED];
}

/* The kernel doubles the size that it is given, for its bookkeeping. */
static int bound(int fd, int which, int bytes)
{
	int half = bytes / 2;

	return setsockopt(fd, SOL_SOCKET, which, &half, sizeof(half));
}

int socket_memory_bound(int fd, int bytes)
{
	if (bound(fd, SO_RCVBUF, bytes) != 0)
		return -1;
	return bound(fd, SO_SNDBUF, bytes);
}

bool socket_memory_fit(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	info.tcpi_min_rtt = UINT32_MAX;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return false;
	if (info.tcpi_min_rtt >= SHORT_PATH_US)
		return false;
	return bound(fd, SO_SNDBUF, SHORT_PATH_BYTES) == 0;
}

/* SO_RCVBUF and SO_SNDBUF disable the kernel's own sizing; this enables it,
 * except for the buffers in `left`. */
static int unlock(int fd, int left)
{
	return setsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &left, sizeof(left));
}

int socket_memory_begin_small(int fd)
{
	/* Without SO_BUF_LOCK (Linux 5.14) the buffer would stay small. */
	if (unlock(fd, 0) != 0 || bound(fd, SO_RCVBUF, BEGINNER_BYTES) != 0)
		return -1;
	return unlock(fd, 0);
}

int socket_memory_messages(int fd)
{
	return bound(fd, SO_SNDBUF, MESSAGES_BYTES);
}

static int open_clamp(int fd)
{
	const int no_clamp = 1 << 30;

	/* The kernel raises the clamp only when it resizes the buffer itself.
	 */
	return setsockopt(
		fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &no_clamp, sizeof(no_clamp));
}

int socket_memory_first(int fd)
{
	if (bound(fd, SO_RCVBUF, FIRST_BYTES) != 0)
		return -1;
	return open_clamp(fd);
}

int socket_memory_squeeze(int source, int sink, int bytes)
{
	if (bound(source, SO_RCVBUF, bytes) != 0)
		return -1;
	return bound(sink, SO_SNDBUF, bytes);
}

int socket_memory_relax(int sink, bool stays)
{
	return unlock(sink, stays ? SOCK_RCVBUF_LOCK : 0);
}

uint64_t socket_acked(int fd, int64_t *rtt_us)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	info.tcpi_bytes_acked = 0;
	info.tcpi_min_rtt = UINT32_MAX;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return 0;
	if (info.tcpi_min_rtt != UINT32_MAX)
		*rtt_us = info.tcpi_min_rtt < RTT_MAX_US ? info.tcpi_min_rtt
							 : RTT_MAX_US;
	return info.tcpi_bytes_acked;
}

/*
 * The kernel lets a receive buffer grow only when more arrives in a round trip
 * than ever before.  A buffer that is too small for that much would never grow,
 * so it is enlarged to twice as much.  SO_RCVLOWAT enlarges it as far as the
 * kernel's own sizing may; SO_RCVBUF stops at rmem_max.
 */
static void allow_growth(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	const int usual = 1;
	int wanted;

	info.tcpi_rcv_space = 0;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
		info.tcpi_rcv_space < OPEN_BYTES / 4 ||
		info.tcpi_rcv_space > INT32_MAX / 2)
		return;
	wanted = (int)info.tcpi_rcv_space * 2;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof(wanted));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &usual, sizeof(usual));
}

int socket_memory_open(int source, bool stays)
{
	if (bound(source, SO_RCVBUF, OPEN_BYTES) != 0 ||
		open_clamp(source) != 0 ||
		unlock(source, stays ? SOCK_SNDBUF_LOCK : 0) != 0)
		return -1;
	allow_growth(source);
	return 0;
}

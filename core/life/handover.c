/* SPDX-License-Identifier: MPL-2.0 */

/* The messages between the two processes of an upgrade. */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <event2/event.h>

#include "life/handover.h"

/* A control message with one descriptor, aligned as cmsg(3) demands. */
union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

int handover_pair(int ends[2])
{
	return socketpair(AF_UNIX,
		SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

int handover_send(int channel, enum handover_word word, const void *data,
	size_t len, int fd)
{
	unsigned char head = (unsigned char)word;
	struct iovec parts[] = {{&head, 1}, {(void *)(uintptr_t)data, len}};
	union control control = {.room = ""};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = len ? 2 : 1};
	struct cmsghdr *rights;
	ssize_t sent;

	if (len > HANDOVER_DATA) {
		errno = EMSGSIZE;
		return -1;
	}
	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	}
	do
		sent = sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

static int descriptor_of(struct msghdr *message)
{
	const struct cmsghdr *rights = CMSG_FIRSTHDR(message);
	int fd = -1, next;
	size_t at;

	if (!rights || rights->cmsg_level != SOL_SOCKET ||
		rights->cmsg_type != SCM_RIGHTS)
		return -1;
	/* The alignment of the union leaves room for a second one, which would
	 * stay open for ever. */
	for (at = CMSG_LEN(0); at + sizeof(fd) <= rights->cmsg_len;
		at += sizeof(fd)) {
		memcpy(&next, (const char *)rights + at, sizeof(next));
		if (fd < 0)
			fd = next;
		else
			(void)close(next);
	}
	return fd;
}

int handover_receive(int channel, struct handover_message *out)
{
	unsigned char head = 0;
	struct iovec parts[] = {{&head, 1}, {out->data, sizeof(out->data)}};
	union control control;
	struct msghdr message = {.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t got;

	do
		got = recvmsg(
			channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got < 0)
		return -1;
	out->fd = descriptor_of(&message);
	/* An empty message looks like the end, but may bring a descriptor. */
	if (got == 0) {
		if (out->fd >= 0)
			(void)close(out->fd);
		return -1;
	}
	out->word = head;
	out->len = (size_t)got - 1;
	return 1;
}

void handover_close(int *channel, struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
	if (*channel >= 0)
		(void)close(*channel);
	*channel = -1;
}

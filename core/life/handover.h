/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the two processes of an upgrade say to each other, over a socket pair
 * that keeps messages apart (SOCK_SEQPACKET).
 *
 * The old one starts the new one with its listening sockets.  Then
 *   new: READY     all is set up but nothing is accepted yet
 *   old: GO        it has ended to accept: what comes waits in the queues
 *   new: SERVING   it accepts; the old one drains
 *   new: KEEP      the old one need not be ready to take over again
 *   old: LEFT      it has closed the listening sockets, for good
 *   old: TRAFFIC   so many bytes were passed on in its sessions meanwhile
 *   new: GUEST     a connection that only the old one can know
 *   old: ENDING    send no more guests: the new one shuts its side, so that
 *                  none is on its way when the old one ends
 * and the end of either is seen by the other as the end of the channel.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stddef.h>

#include "peers/adopt.h"

/* The environment variable that tells the new one its end of the channel. */
#define HANDOVER_CHANNEL "STRELAYSRV_CHANNEL"

#define HANDOVER_DATA                                                          \
	ADOPT_DATA_MAX /* bytes that go with a message at most                 \
			*/

enum handover_word {
	HANDOVER_READY = 1,
	HANDOVER_GO,
	HANDOVER_SERVING,
	HANDOVER_KEEP,
	HANDOVER_LEFT,
	HANDOVER_TRAFFIC, /* data: int64_t */
	HANDOVER_GUEST,   /* data: what was read from fd */
	HANDOVER_ENDING,
};

struct handover_message {
	int word; /* enum handover_word; another version may say others */
	size_t len;
	_Alignas(8) unsigned char data[HANDOVER_DATA];
	int fd; /* the receiver's; -1: none came along */
};

/* Both ends, non-blocking and close-on-exec.  0, or -1 with errno. */
int handover_pair(int ends[2]);
/*
 * Any thread; never blocks.  fd, which stays the caller's, goes along unless it
 * is -1.  0, or -1 with errno.
 */
int handover_send(int channel, enum handover_word word, const void *data,
	size_t len, int fd);
/* 1: *out is a message.  0: none is there.  -1: the other end has gone. */
int handover_receive(int channel, struct handover_message *out);

#endif

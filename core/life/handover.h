/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The messages between the two processes of an upgrade, over a socket pair of
 * type SOCK_SEQPACKET.
 *
 * The old process starts the new one with its listening sockets.  Then
 *   new: READY     it is set up, and accepts nothing yet
 *   old: GO        it no longer accepts: clients wait in the accept queues
 *   new: SERVING   it accepts; the old one drains
 *   new: KEEP      the old one need not be ready to serve again
 *   old: LEFT      it has closed its listening sockets
 *   old: TRAFFIC   bytes that its sessions have forwarded since the last one
 *   new: CONN      a connection handed back, since only the old one can know
 *                  what it asks for, see relay_conn_hand_back()
 *   new: PROXIED   the same, of a connection that a proxy has made; an older
 *                  process closes it
 *   old: ONWARD    a connection that waits here for one that may come to the
 *                  new one, see relay_conn_pass_on(); an older process closes
 *                  it
 *   old: ENDING    hand back no more: the new one shuts down its sending side,
 *                  so that no connection is under way when the old one ends
 *   old: OFF       before GO: the upgrade was given up, and the new one ends
 * Each process sees the other's end as the end of the channel.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stddef.h>

#include "peers/conn_import.h"

/* The environment variable with the new process's descriptor of the channel. */
#define HANDOVER_CHANNEL "STRELAYSRV_CHANNEL"
/* That with the device ID of the old process; an older version sets none. */
#define HANDOVER_ID "STRELAYSRV_ID"

/* Bytes that go with a message at most. */
#define HANDOVER_DATA (CONN_IMPORT_DATA_MAX + sizeof(struct conn_import_onward))

enum handover_word {
	HANDOVER_READY = 1,
	HANDOVER_GO,
	HANDOVER_SERVING,
	HANDOVER_KEEP,
	HANDOVER_LEFT,
	HANDOVER_TRAFFIC, /* data: int64_t */
	HANDOVER_CONN,    /* data: what was read from fd */
	HANDOVER_ENDING,
	HANDOVER_OFF,
	HANDOVER_PROXIED, /* data: struct conn_import_proxied, then as CONN */
	HANDOVER_ONWARD,  /* data: struct conn_import_onward, then as CONN */
};

struct event;

struct handover_message {
	int word; /* enum handover_word; other versions may send others */
	size_t len;
	_Alignas(8) unsigned char data[HANDOVER_DATA];
	int fd; /* now the receiver's; -1: none */
};

/* Both ends, non-blocking and close-on-exec.  0, or -1 with errno. */
int handover_pair(int ends[2]);
/*
 * [*]  Never blocks.  Sends a copy of fd along unless it is -1.  0, or -1 with
 * errno.
 */
int handover_send(int channel, enum handover_word word, const void *data,
	size_t len, int fd);
/* 1: *out is a message.  0: there is none yet.  -1: the other end is closed. */
int handover_receive(int channel, struct handover_message *out);
/* Closes the channel, unless it is -1, and frees its event, unless it is NULL;
 * sets them to -1 and NULL. */
void handover_close(int *channel, struct event **event);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* half.h - one end of a session: connects, joins with a key, sends a byte. */
#ifndef HALF_H
#define HALF_H

#include "bench.h"
#include "relay/messages/frame.h"

enum half_state {
	HALF_IDLE,
	HALF_CONNECTING,
	HALF_JOINING,
	HALF_JOINED, /* the relay answered success */
	HALF_MET     /* a byte from the other end has arrived */
};

struct half {
	struct bench *bench;
	void (*changed)(struct half *half, enum failure why, void *arg);
	void *arg;
	enum half_state state;
	int fd;
	struct event event;
	uint8_t key[FRAME_OPAQUE_MAX];
	size_t key_len;
	size_t in_len;
	uint8_t in[FRAME_HEADER_LEN + 64]; /* room for a Response only */
};

/*
 * Initializes it; borrows all arguments. changed is called on JOINED and on MET
 * with FAILURE_NONE, or once with a failure.
 */
void half_init(struct half *half, struct bench *bench,
	void (*changed)(struct half *half, enum failure why, void *arg),
	void *arg);

/* HALF_IDLE -> HALF_CONNECTING, or reports a failure at once. */
void half_start(struct half *half, const struct frame_bytes *key);

/* HALF_JOINED: sends a byte to the other end, which may not have joined yet. */
void half_greet(struct half *half);

/* Passes the socket to the caller, or returns -1. */
int half_take(struct half *half);

/* Closes it, back to HALF_IDLE. */
void half_reset(struct half *half);

#endif

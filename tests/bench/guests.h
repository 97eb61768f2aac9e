/* SPDX-License-Identifier: MPL-2.0 */

/*
 * guests.h - a device's sides of sessions that strangers requested.
 *
 * The device takes invitations one by one, as Syncthing does: it joins the
 * session, waits in vain for the other side's handshake, and closes.
 */
#ifndef GUESTS_H
#define GUESTS_H

#include <stdbool.h>

#include "bench.h"
#include "relay/messages/frame.h"

struct guests;

/*
 * Borrows bench.  gone(arg) is called from the loop when a session with
 * a stranger has ended.  NULL: no memory.
 */
struct guests *guests_create(
	struct bench *bench, void (*gone)(void *arg), void *arg);

/* Whether the device is busy with a stranger. */
bool guests_busy(const struct guests *guests);

/* Joins the session; not while it is busy. */
void guests_take(struct guests *guests, const struct frame_bytes *key);

/* NULL is allowed. */
void guests_destroy(struct guests *guests);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * guests.h - a device's sides of sessions that strangers requested.
 *
 * The device takes every invitation, as Syncthing does: it joins the session,
 * waits in vain for the other side, and closes.
 */
#ifndef GUESTS_H
#define GUESTS_H

#include "bench.h"
#include "relay/messages/frame.h"

struct guests;

/* Borrows bench.  NULL: no memory. */
struct guests *guests_create(struct bench *bench);

/* Joins the session, unless too many are waiting already. */
void guests_take(struct guests *guests, const struct frame_bytes *key);

/* NULL is allowed. */
void guests_destroy(struct guests *guests);

#endif

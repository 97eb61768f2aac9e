/* SPDX-License-Identifier: MPL-2.0 */

/*
 * guests.h - a device's sides of sessions that strangers asked for.
 *
 * A device takes every invitation, as Syncthing does: it joins, waits for what
 * never comes, and closes.
 */
#ifndef GUESTS_H
#define GUESTS_H

#include "bench.h"
#include "relay/frame.h"

struct guests;

/* Borrows bench.  NULL: no memory. */
struct guests *guests_create(struct bench *bench);

/* Joins, unless too many are waited for already. */
void guests_take(struct guests *guests, const struct frame_bytes *key);

/* NULL is fine. */
void guests_destroy(struct guests *guests);

#endif

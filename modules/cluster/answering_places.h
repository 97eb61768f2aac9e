/* SPDX-License-Identifier: MPL-2.0 */

/* answering_places.h - the places of asks that are being answered.  Pure. */
#ifndef CLUSTER_ANSWERING_PLACES_H
#define CLUSTER_ANSWERING_PLACES_H

#include "cluster/answering_state.h"

/* 0, or -1 without memory. */
int answering_init(struct answering *answering);
void answering_finish(struct answering *answering);
/* NULL: its place was given away, or it was answered. */
struct answering_ask *answering_find(
	struct answering *answering, uint64_t serial);
/*
 * A place for an ASK; *again: the same ask is there already.  Of the places
 * near to each other a free one is taken, else one whose answer was sent. NULL:
 * all are in use.
 */
struct answering_ask *answering_take(struct answering *answering,
	const struct message *in, int64_t now_ms, bool *again);

#endif

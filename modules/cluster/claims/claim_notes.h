/* SPDX-License-Identifier: MPL-2.0 */

/*
 * claim_notes.h - what is to be done again later, because a message may have
 * been lost.
 *
 * All wait equally long: the queue is in the order of time.
 */
#ifndef CLUSTER_CLAIM_NOTES_H
#define CLUSTER_CLAIM_NOTES_H

#include <stdint.h>

#include "cluster/registry.h"

/* More are not kept: the next check of the device does the same later. */
#define NOTES_MOST 20000

enum note_what {
	NOTE_CLAIMED, /* tell it again */
	NOTE_ALIVE,   /* likewise; CLAIMED, when the device is not here any
			 more: then it is no sign of life */
};

struct note {
	struct note *prev, *next; /* utlist */
	uint64_t to;              /* the node that is told */
	uint64_t epoch;           /* that is told as CLAIMED */
	uint64_t theirs;          /* and as ALIVE */
	int64_t due_ms;
	uint8_t id[REGISTRY_ID];
	uint8_t what;
	uint8_t left; /* how many times more */
};

struct claim_notes {
	struct note *first;
	unsigned count;
};

/* It is due at due_ms, which never falls.  -1: there is no room or memory. */
int notes_add(
	struct claim_notes *notes, const struct note *what, int64_t due_ms);
/* The first if it is due.  notes_done() must follow, which frees it, or puts it
 * at the end, for due_ms, if it is to be done once more. */
struct note *notes_due(struct claim_notes *notes, int64_t now_ms);
void notes_done(struct claim_notes *notes, struct note *note, int64_t due_ms);
void notes_finish(struct claim_notes *notes);

#endif

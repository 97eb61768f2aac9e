/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Where strangers come from: what strangers.c and stranger_turns.c share.
 */
#ifndef STRANGER_SOURCE_H
#define STRANGER_SOURCE_H

#include "peers/strangers.h"

/* A prefix from which there is at least one stranger. */
struct stranger_source {
	struct stranger_source *bucket_next;
	struct stranger_source *parent; /* the next wider one; NULL: widest */
	uint64_t prefix;                /* its first bits; the rest is 0 */
	uint64_t hash;
	unsigned bits;
	unsigned held;                     /* strangers */
	unsigned waiting;                  /* of these, in a line */
	TAILQ_ENTRY(stranger_source) same; /* of equal rank, or siblings */
	TAILQ_ENTRY(stranger_source) turn; /* who has waiting ones */
	struct source_list narrower;       /* all, and in the order of turns */
	struct source_list narrower_turns;
	struct stranger_list strangers; /* of a narrowest one, oldest first */
	struct stranger_list lines[STRANGER_LINES];
	bool suspect; /* in which list of turns it is, while any waits */
	uint8_t line; /* whose turn it is */
};

/* stranger_turns.c: takes a stranger out of its line, if it is in one. */
void stranger_unwait(struct strangers *all, struct stranger *stranger);

#endif

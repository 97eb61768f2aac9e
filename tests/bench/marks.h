/* SPDX-License-Identifier: MPL-2.0 */

/*
 * marks.h - when some bytes of a stream were sent, to time their arrival.
 *
 * One thread sends, another receives; neither waits for the other.
 */
#ifndef MARKS_H
#define MARKS_H

#include <stdatomic.h>
#include <stdint.h>

#include "histogram.h"

#define MARKS 1024U
/* Bytes between two marks, so that 64 MiB under way have room. */
#define MARKS_APART 65536U

struct mark {
	uint64_t position; /* bytes of the stream up to its end */
	int64_t sent_ns;   /* before the call that sent them */
};

/* All zero is empty. */
struct marks {
	struct mark ring[MARKS];
	_Atomic uint32_t made, used;
	uint64_t last; /* position of the last one, the sender's */
};

/* The stream has been sent up to this position, by a call at that time. */
void marks_sent(struct marks *marks, uint64_t position, int64_t sent_ns);

/* It has been received up to this position.  delays NULL: they do not count. */
void marks_received(struct marks *marks, uint64_t position, int64_t now_ns,
	struct histogram *delays);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How much a direction of a session may make the kernel hold, and when its
 * session must end for it: a slow reader is taken in no more for, and keeps its
 * session while memory is not short.  Numbers in, verdict out: no system call,
 * no clock.
 */
#ifndef STALL_JUDGE_H
#define STALL_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What every direction may hold, however little it delivers. */
#define STALL_ALLOWED 524288
/* Directions that hold less never end for want of memory. */
#define STALL_LEAST 16384

/* Of one direction, between two looks.  Begins with zeros. */
struct stall {
	uint64_t acked; /* by the sink, as of the last look; 0: unknown */
	uint64_t due;   /* acked once it has all that waited then */
	int64_t looked_ms;
	int64_t since_ms;     /* stalls, judged since then; 0: does not */
	uint64_t since_acked; /* acked at that time */
	uint8_t above;        /* looks in a row at which it held too much */
	size_t buffers;       /* see stall_judge(); 0: the kernel's sizing */
};

/* What a look has found. */
struct stall_facts {
	int64_t now_ms;
	int64_t idle_ms;  /* how long this session may make no progress */
	int64_t short_ms; /* memory has been short so long; -1: it is not */
	uint64_t acked;   /* bytes, by the sink; 0: it was not asked */
	int64_t rtt_us;   /* shortest round trips of both paths, added */
	size_t held;      /* bytes of kernel memory */
	size_t waits;     /* bytes, for the sink, which has not taken all */
};

enum stall_verdict {
	STALL_GO_ON,
	STALL_END_STALLED,  /* it took nothing worth the name for idle_ms */
	STALL_END_PRESSURE, /* memory is short, and this holds most */
};

/*
 * What delivering at that rate may take.  A peer can delay what it acknowledges
 * and so lengthen the round trip, which is used up to 300 ms a path.
 */
size_t stall_allowed(uint64_t bytes_per_s, int64_t rtt_us);

/*
 * Afterwards stall->buffers says what the source's receive buffer and the
 * sink's send buffer may take from now on, in bytes each.
 */
enum stall_verdict stall_judge(
	struct stall *stall, const struct stall_facts *facts);

/* Whether the next look should come soon. */
bool stall_is_watched(const struct stall *stall);

#endif

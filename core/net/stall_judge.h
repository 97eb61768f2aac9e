/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How much kernel memory a direction of a session may hold, and when its
 * session must end.  If a reader is slow, the buffers of its direction are
 * bounded; what they hold already cannot be taken back.  Its session goes on
 * while the reader takes that fast enough, and memory is not short.  Pure: no
 * system call, no clock.
 *
 * Fast enough: what a direction holds above STALL_ALLOWED when its buffers are
 * bounded may stay for STALL_GRACE times idle_ms, or for idle_ms if its reader
 * takes less than 1 kB a second on average, as if it took nothing.  From then
 * on it must shrink at a constant rate, to nothing within STALL_DRAIN times
 * idle_ms.  By default these times are 6, 2 and 20 minutes: a link that gets
 * slow with 8 MB in flight needs 5 kB/s.
 */
#ifndef STALL_JUDGE_H
#define STALL_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of kernel memory that every direction may hold, even one that delivers
 * next to nothing. */
#define STALL_ALLOWED 524288
/* A direction that holds less does not end when memory is short. */
#define STALL_LEAST 16384
#define STALL_GRACE 3
#define STALL_DRAIN 10

/* The state of one direction between two looks; zero at the start. */
struct stall {
	uint64_t acked; /* by the sink, as of the last look; 0: unknown */
	uint64_t due; /* the value of acked at which the sink has taken all that
			 waited then */
	int64_t looked_ms;
	int64_t since_ms;     /* when the stall's span began; 0: no stall */
	uint64_t since_acked; /* acked at that time */
	uint8_t above;        /* looks in a row at which it held too much */
	size_t buffers;       /* see stall_judge(); 0: the kernel's sizing */
	int64_t full_ms;      /* since when it must drain; 0: it need not */
	uint64_t full_acked;  /* acked at that time */
	size_t full;          /* bytes held at that time */
};

/* The measurements of a direction that a check uses. */
struct stall_facts {
	int64_t now_ms;
	int64_t idle_ms;     /* how long this session may make no progress */
	int64_t short_ms;    /* how long memory has been short; -1: it is not */
	uint64_t acked;      /* bytes, by the sink; 0: it was not asked */
	int64_t rtt_us;      /* shortest round trips of both paths, added */
	bool above_share;    /* the sink's source holds more than its share */
	size_t stalled_most; /* while memory is short, stalled directions that
			      * hold this or more end, see stalled_sizes.h */
	size_t held;         /* bytes of kernel memory */
	size_t waits;        /* bytes that the sink has not taken yet */
};

enum stall_verdict {
	STALL_GO_ON,
	STALL_END_STALLED,  /* no progress for idle_ms, or it drains too slowly
			     */
	STALL_END_PRESSURE, /* memory is short; it stalls or holds much */
};

/*
 * How many bytes a direction that delivers at that rate may hold.  A peer can
 * lengthen the round trip by acknowledging late, so at most 300 ms for each
 * path count.
 */
size_t stall_allowed(uint64_t bytes_per_s, int64_t rtt_us);

/*
 * Also sets stall->buffers, the bound in bytes on each of the source's receive
 * buffer and the sink's send buffer.
 */
enum stall_verdict stall_judge(
	struct stall *stall, const struct stall_facts *facts);

/* Whether one that has stalled for long must end since memory is short. */
bool stall_gives_way(const struct stall_facts *facts);

/* Whether it has stalled for so long that it is among the first to end when
 * memory is short. */
bool stall_is_long(const struct stall *stall);

/* Whether the next look should come soon. */
bool stall_is_watched(const struct stall *stall);

#endif

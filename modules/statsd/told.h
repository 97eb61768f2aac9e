/* SPDX-License-Identifier: MPL-2.0 */

/*
 * told.h - which value of each counter was sent last.
 *
 * StatsD expects the increase of a counter.  The table has a fixed size; a
 * counter that no round has asked for any more gives up its place when places
 * become few.
 */
#ifndef TOLD_H
#define TOLD_H

#include <stddef.h>
#include <stdint.h>

#define TOLD_SERIES 8192 /* twice the most numbers that the server has */

/* All zero: nothing was sent. */
struct told {
	struct {
		uint64_t key; /* hash of the name; 0: free */
		int64_t value;
		uint64_t round; /* the last one in which it was asked for */
	} at[TOLD_SERIES];
	size_t count;
	uint64_t round;
};

/* Begins a round, in which told_increase() is called once for each counter. */
void told_begin(struct told *told);
/*
 * Returns the increase since the last call with that name, and notes the value.
 * A name that is new counts from 0; 0 if the table is full.
 */
int64_t told_increase(struct told *told, const char *name, int64_t value);

#endif

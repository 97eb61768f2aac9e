/* SPDX-License-Identifier: MPL-2.0 */

/*
 * unsettled.h - which tickets have a question that is not settled.  Any thread.
 *
 * It is counted by parts of the tickets, so that it needs no memory and no
 * lock: a ticket may share its part with another one that waits.
 */
#ifndef UNSETTLED_H
#define UNSETTLED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define UNSETTLED_BITS 12

struct unsettled {
	_Atomic unsigned parts[1U << UNSETTLED_BITS];
};

static inline _Atomic unsigned *unsettled_part(
	struct unsettled *unsettled, uint64_t ticket)
{
	/* Tickets are running numbers, with gaps. */
	return &unsettled->parts[(ticket * UINT64_C(0x9E3779B97F4A7C15)) >>
				 (64 - UNSETTLED_BITS)];
}

static inline void unsettled_begin(struct unsettled *unsettled, uint64_t ticket)
{
	atomic_fetch_add(unsettled_part(unsettled, ticket), 1);
}

static inline void unsettled_end(struct unsettled *unsettled, uint64_t ticket)
{
	atomic_fetch_sub(unsettled_part(unsettled, ticket), 1);
}

/* False: its question is settled. */
static inline bool unsettled_may_have(
	struct unsettled *unsettled, uint64_t ticket)
{
	return atomic_load(unsettled_part(unsettled, ticket)) > 0;
}

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * schedule.h - which port to ask for, and when to ask again.
 *
 * Pure: time and randomness are passed in.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* How many ports are tried on one gateway. */
#define SCHEDULE_PORTS 8

/* The port to ask for at the i-th try: the one that we listen on, then any that
 * needs no privileges. */
uint16_t schedule_port(uint16_t listen, unsigned i, uint32_t random);

struct schedule {
	int64_t lease_ms, renewal_ms, check_ms;
};

/*
 * Milliseconds to the next renewal: what is asked for, but never later than the
 * middle of the lease.
 */
int64_t schedule_renewal(const struct schedule *schedule);
/* To the next look at a mapping that was renewed `since_ms` ago. */
int64_t schedule_check(const struct schedule *schedule, int64_t since_ms);
/* To the next attempt after so many failures in a row, 1 or more. */
int64_t schedule_retry(unsigned failures, uint32_t random);
/* Whether a mapping that was renewed `since_ms` ago has come to its end. */
bool schedule_over(const struct schedule *schedule, int64_t since_ms);

/* The lease that counts, of one that was asked for and one that was given (0:
 * as asked for). */
int64_t schedule_lease(int64_t asked_ms, int64_t given_ms);

/* How often clients are told of another address: a few times at once, then
 * rarely.  Zeroed to begin with. */
#define SCHEDULE_CHANGES   4
#define SCHEDULE_CHANGE_MS 600000
struct schedule_changes {
	int64_t clear_ms; /* when all of them may be spent again */
};

/* Whether one more may be told now, which is then spent. */
bool schedule_may_change(struct schedule_changes *changes, int64_t now_ms);

#endif

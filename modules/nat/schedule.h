/* SPDX-License-Identifier: MPL-2.0 */

/*
 * schedule.h - chooses the port to request, and the time of the next request.
 *
 * Pure: time and randomness are passed in.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* How many ports are tried on one gateway. */
#define SCHEDULE_PORTS 8

/*
 * The port to request at the i-th try: first our listen port, then random
 * unprivileged ports.
 */
uint16_t schedule_port(uint16_t listen, unsigned i, uint32_t random);

struct schedule {
	int64_t lease_ms, renewal_ms, check_ms;
};

/*
 * Milliseconds until the next renewal: as configured, but not later than half
 * of the lease.
 */
int64_t schedule_renewal(const struct schedule *schedule);
/* Milliseconds until the next check of a mapping renewed `since_ms` ago. */
int64_t schedule_check(const struct schedule *schedule, int64_t since_ms);
/* Milliseconds until the next attempt after 1 or more consecutive failures. */
int64_t schedule_retry(unsigned failures, uint32_t random);
/* Whether a mapping renewed `since_ms` ago has expired. */
bool schedule_over(const struct schedule *schedule, int64_t since_ms);

/*
 * The effective lease, from the requested and the granted one (0: as
 * requested).
 */
int64_t schedule_lease(int64_t asked_ms, int64_t given_ms);

/*
 * Rate limit for announcing a new address: a few times at once, then rarely.
 * Initially zero.
 */
#define SCHEDULE_CHANGES   4
#define SCHEDULE_CHANGE_MS 600000
struct schedule_changes {
	int64_t clear_ms; /* when the full limit is available again */
};

/* Whether an announcement is allowed now; counts it. */
bool schedule_may_change(struct schedule_changes *changes, int64_t now_ms);

#endif

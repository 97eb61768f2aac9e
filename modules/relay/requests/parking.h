/* SPDX-License-Identifier: MPL-2.0 */

/*
 * parking.h - devices that were here a moment ago, and requests that wait for
 * one to come back.
 *
 * Shared by all threads; every function holds its lock for a few lookups.  Time
 * is passed in.
 */
#ifndef PARKING_H
#define PARKING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/devices/directory.h"
#include "relay/requests/holder_counts.h"
#include "shared/source.h"

/* How long a device is expected back, and every device after a start. */
#define PARKING_EXPECTED_MS 30000
/* Devices that are expected; the oldest gives way. */
#define PARKING_DEVICES 16384
/* Requests that wait: in all, for one device, from one source, and from one
 * source for one device. */
#define PARKING_MOST       4096
#define PARKING_PER_DEVICE 64
#define PARKING_PER_SOURCE 64
#define PARKING_PER_BOTH   16

struct parked;        /* a request that waits */
struct parked_target; /* a device that is waited for */
struct expected;      /* a device that was here */

struct parking {
	pthread_mutex_t lock;
	struct parked_target *targets; /* uthash, by ID */
	struct expected *expected;     /* uthash, by ID */
	struct expected *oldest;       /* utlist of all, by time */
	unsigned expected_count;
	unsigned count; /* requests */
	struct holders sources;
};

int parking_init(struct parking *parking);
/* After the last request has left. */
void parking_finish(struct parking *parking);

/* The device has left, or is about to join. */
void parking_expect(struct parking *parking, const uint8_t *id, int64_t now_ms);
bool parking_expects(
	struct parking *parking, const uint8_t *id, int64_t now_ms);

/*
 * A request waits.  NULL: there is no room, or memory is short.  If the device
 * has enough, the source with the most gives up its oldest, unless it would
 * then have fewer than the new one's: *lost is who asked, and still calls
 * parking_remove().  lost->conn is 0 if nobody has lost a place.
 */
struct parked *parking_add(struct parking *parking, const uint8_t *id,
	const struct source *source, struct place asker, struct place *lost);
/* It does not wait any more; frees it. */
void parking_remove(struct parking *parking, struct parked *parked);
/* Calls `fn` for each request that waits for the device; fn must not call the
 * table. */
void parking_each(struct parking *parking, const uint8_t *id,
	void (*fn)(struct place asker, void *arg), void *arg);
/* The same, for all devices. */
void parking_all(struct parking *parking,
	void (*fn)(struct place asker, void *arg), void *arg);
unsigned parking_count(struct parking *parking);

/* The device that is waited for; valid until parking_remove(). */
const uint8_t *parked_id(const struct parked *parked);

#endif

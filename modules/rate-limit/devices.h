/* SPDX-License-Identifier: MPL-2.0 */

/*
 * devices.h - the devices that have sessions, and the sources that these come
 * from: each device has a rate of its own, and a share of its source's share of
 * the global rate.
 *
 * A device ID is free to make, an address is not, so sources share first.  A
 * device has a share directly in the global rate if its weight is above 1,
 * since the operator has named it, or if its address is exempt, such as that of
 * a proxy which all connections come from.
 *
 * One table is shared by all threads; its lock is taken when sessions begin and
 * end.
 */
#ifndef DEVICES_H
#define DEVICES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/id_hash.h"
#include "share.h"

/* An IPv4 address or an IPv6 /48. */
struct origin {
	struct share_pool share; /* a child of the global pool */
	unsigned sessions;
	UT_hash_handle hh;
	uint8_t key[ID_LEN];
};

/* A device's sessions from one source. */
struct device_part {
	struct device_part *next; /* of the same device */
	struct device *device;
	struct origin *origin; /* NULL: directly below the global pool */
	struct share_pool
		share; /* a child of origin->share, or of the global pool */
	unsigned sessions;
};

struct device {
	struct share_pool own; /* limited by the option per-device */
	struct device_part *parts;
	int64_t weight; /* its shares; guarded by the table's lock, as below */
	unsigned sessions;
	UT_hash_handle hh;
	uint8_t id[ID_LEN];
};

struct device_table {
	pthread_mutex_t lock;
	struct device *devices;    /* uthash, by ID */
	struct origin *origins;    /* uthash, by key */
	struct share_pool *global; /* borrowed */
};

/* What a device may have. */
struct device_terms {
	int64_t weight; /* in the global rate */
	int64_t rate;   /* of its own, bytes per second */
	int64_t burst_ms;
};

/* 0 or -1. */
int devices_init(struct device_table *table, struct share_pool *global);
/* After the last session, with which the last device has left. */
void devices_finish(struct device_table *table);

/*
 * Adds a session to the device.  `source` has ID_LEN bytes; NULL: exempt.  Call
 * devices_put() for each devices_get().  NULL if memory is short: then the
 * device has no limit, and its session has its own share.
 */
struct device_part *devices_get(struct device_table *table, const uint8_t *id,
	const uint8_t *source, const struct device_terms *terms,
	int64_t now_ms);
/* Whether the device has sessions that are limited. */
bool devices_has(struct device_table *table, const uint8_t *id);
/* NULL is allowed. */
void devices_put(struct device_table *table, struct device_part *part);

/*
 * Which of a session's two devices the session counts towards: the one with the
 * higher weight, else the one whose source has more sessions, else the one with
 * more sessions itself.  So all sessions of one source or device use one share,
 * however many they are and whatever their other ends are.  Either may be NULL.
 */
struct device_part *devices_sharer(struct device_table *table,
	struct device_part *one, struct device_part *other);

#endif

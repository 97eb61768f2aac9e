/* SPDX-License-Identifier: MPL-2.0 */

/*
 * devices.h - the devices that have sessions: each with its own rate and its
 * share of the global rate.
 *
 * One table is shared by all threads; its lock is taken when sessions begin and
 * end.
 */
#ifndef DEVICES_H
#define DEVICES_H

#include <pthread.h>
#include <stdint.h>

#include "shared/id_hash.h"
#include "share.h"

struct device {
	struct share_pool own;   /* limited by the option per-device */
	struct share_pool share; /* a child of the global pool */
	int64_t weight; /* its shares; guarded by the table's lock, as below */
	unsigned sessions;
	UT_hash_handle hh;
	uint8_t id[ID_LEN];
};

struct device_table {
	pthread_mutex_t lock;
	struct device *devices;    /* uthash, by ID */
	struct share_pool *global; /* borrowed */
};

/* 0 or -1. */
int devices_init(struct device_table *table, struct share_pool *global);
void devices_finish(struct device_table *table);

/*
 * Adds a session to the device, with that weight in the global rate and that
 * rate of its own.  Call devices_put() for each devices_get().  NULL if memory
 * is short: then the device has no limit, and its session has its own share.
 */
struct device *devices_get(struct device_table *table, const uint8_t *id,
	int64_t weight, int64_t rate, int64_t burst_ms, int64_t now_ms);
/* NULL is allowed. */
void devices_put(struct device_table *table, struct device *device);

/*
 * Which of a session's two devices the session counts towards: the one with the
 * higher weight, else the one with more sessions.  So many sessions of one
 * device use one share, whatever their other ends are.  Either may be NULL.
 */
struct device *devices_sharer(
	struct device_table *table, struct device *one, struct device *other);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * devices.h - the devices that take part in sessions: each with a rate of its
 * own, and with its share of the global one.
 *
 * One table for all threads; its lock is taken when sessions begin and end.
 */
#ifndef DEVICES_H
#define DEVICES_H

#include <pthread.h>
#include <stdint.h>

#include "relay/id_hash.h"
#include "share.h"

struct device {
	struct share_pool own;   /* of the option per-device */
	struct share_pool share; /* a child of the global pool */
	int64_t weight;          /* its shares; of the table's lock, as below */
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
 * One session more of the device, which has so many shares of the global rate
 * and such a rate of its own.  Each get has its put.  NULL without memory: then
 * the device has no limit, and its session a share of its own.
 */
struct device *devices_get(struct device_table *table, const uint8_t *id,
	int64_t weight, int64_t rate, int64_t burst_ms, int64_t now_ms);
/* Accepts NULL. */
void devices_put(struct device_table *table, struct device *device);

/*
 * Of a session's two devices, the one in whose share of the global rate it is:
 * the one with more shares, then the one with more sessions.  So one device's
 * many sessions are in one share, whoever is at their other ends.  Either may
 * be NULL.
 */
struct device *devices_sharer(
	struct device_table *table, struct device *one, struct device *other);

#endif

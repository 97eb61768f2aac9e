/* SPDX-License-Identifier: MPL-2.0 */

/*
 * devices.h - a pool for each device that takes part in a session.
 *
 * One table for all threads; its lock is taken when sessions begin and end.
 */
#ifndef DEVICES_H
#define DEVICES_H

#include <pthread.h>
#include <stdint.h>

#include "share.h"

struct device_table {
	pthread_mutex_t lock;
	struct device_pool *pools; /* uthash, by ID */
};

/* 0 or -1. */
int devices_init(struct device_table *table);
void devices_finish(struct device_table *table);

/* Each get has its put.  NULL without memory: then the device has no limit. */
struct share_pool *devices_get(struct device_table *table, const uint8_t *id,
	int64_t rate, int64_t burst_ms, int64_t now_ms);
/* Accepts NULL. */
void devices_put(struct device_table *table, struct share_pool *pool);

#endif

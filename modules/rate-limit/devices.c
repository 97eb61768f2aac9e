/* SPDX-License-Identifier: MPL-2.0 */

/* The devices that have sessions. */

#include <stdlib.h>
#include <string.h>

#include "devices.h"

int devices_init(struct device_table *table, struct share_pool *global)
{
	table->devices = NULL;
	table->global = global;
	if (id_hash_init() != 0)
		return -1;
	return pthread_mutex_init(&table->lock, NULL) == 0 ? 0 : -1;
}

void devices_finish(struct device_table *table)
{
	struct device *device, *next;

	HASH_ITER(hh, table->devices, device, next)
	{
		HASH_DEL(table->devices, device);
		free(device);
	}
	pthread_mutex_destroy(&table->lock);
}

static struct device *find_or_add(struct device_table *table, const uint8_t *id,
	int64_t weight, int64_t rate, int64_t burst_ms, int64_t now_ms)
{
	struct device *device;

	HASH_FIND(hh, table->devices, id, ID_LEN, device);
	if (device)
		return device;
	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	memcpy(device->id, id, ID_LEN);
	share_pool_init(&device->own, rate, burst_ms, now_ms);
	share_child_init(&device->share, table->global, weight, now_ms);
	HASH_ADD_KEYPTR(hh, table->devices, device->id, ID_LEN, device);
	if (device->hh.tbl)
		return device;
	free(device); /* uthash did not add it: out of memory */
	return NULL;
}

struct device *devices_get(struct device_table *table, const uint8_t *id,
	int64_t weight, int64_t rate, int64_t burst_ms, int64_t now_ms)
{
	struct device *device;

	pthread_mutex_lock(&table->lock);
	device = find_or_add(table, id, weight, rate, burst_ms, now_ms);
	if (device) {
		device->sessions++;
		/* The values may be from before a reload. */
		share_pool_set(&device->own, rate, burst_ms);
		if (device->weight != weight)
			share_child_set(&device->share, weight);
		device->weight = weight;
	}
	pthread_mutex_unlock(&table->lock);
	return device;
}

void devices_put(struct device_table *table, struct device *device)
{
	if (!device)
		return;
	pthread_mutex_lock(&table->lock);
	if (--device->sessions == 0) {
		HASH_DEL(table->devices, device);
		free(device);
	}
	pthread_mutex_unlock(&table->lock);
}

struct device *devices_sharer(
	struct device_table *table, struct device *one, struct device *other)
{
	struct device *sharer = one ? one : other;

	if (!one || !other)
		return sharer;
	pthread_mutex_lock(&table->lock);
	if (other->weight > one->weight ||
		(other->weight == one->weight &&
			other->sessions > one->sessions))
		sharer = other;
	pthread_mutex_unlock(&table->lock);
	return sharer;
}

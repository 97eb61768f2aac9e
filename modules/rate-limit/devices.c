/* SPDX-License-Identifier: MPL-2.0 */

/* A pool for each device that takes part in a session. */

#include <stdlib.h>
#include <string.h>

#include "devices.h"
#include "relay/id_hash.h"

struct device_pool {
	struct share_pool pool; /* first: a pool of the table is one of these */
	UT_hash_handle hh;
	unsigned sessions;
	uint8_t id[ID_LEN];
};

int devices_init(struct device_table *table)
{
	table->pools = NULL;
	if (id_hash_init() != 0)
		return -1;
	return pthread_mutex_init(&table->lock, NULL) == 0 ? 0 : -1;
}

void devices_finish(struct device_table *table)
{
	struct device_pool *device, *next;

	HASH_ITER(hh, table->pools, device, next)
	{
		HASH_DEL(table->pools, device);
		free(device);
	}
	pthread_mutex_destroy(&table->lock);
}

static struct device_pool *find_or_add(struct device_table *table,
	const uint8_t *id, int64_t rate, int64_t burst_ms, int64_t now_ms)
{
	struct device_pool *device;

	HASH_FIND(hh, table->pools, id, ID_LEN, device);
	if (device)
		return device;
	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	memcpy(device->id, id, ID_LEN);
	share_pool_init(&device->pool, rate, burst_ms, now_ms);
	HASH_ADD_KEYPTR(hh, table->pools, device->id, ID_LEN, device);
	if (device->hh.tbl)
		return device;
	free(device); /* without memory uthash leaves it out */
	return NULL;
}

struct share_pool *devices_get(struct device_table *table, const uint8_t *id,
	int64_t rate, int64_t burst_ms, int64_t now_ms)
{
	struct device_pool *device;

	pthread_mutex_lock(&table->lock);
	device = find_or_add(table, id, rate, burst_ms, now_ms);
	if (device) {
		device->sessions++;
		/* It may date from before a reload. */
		share_pool_set(&device->pool, rate, burst_ms);
	}
	pthread_mutex_unlock(&table->lock);
	return device ? &device->pool : NULL;
}

void devices_put(struct device_table *table, struct share_pool *pool)
{
	struct device_pool *device = (struct device_pool *)(void *)pool;

	if (!device)
		return;
	pthread_mutex_lock(&table->lock);
	if (--device->sessions == 0) {
		HASH_DEL(table->pools, device);
		free(device);
	}
	pthread_mutex_unlock(&table->lock);
}

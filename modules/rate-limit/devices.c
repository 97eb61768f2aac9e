/* SPDX-License-Identifier: MPL-2.0 */

/* The devices that have sessions, and the sources that these come from. */

#include <stdlib.h>
#include <string.h>

#include "devices.h"

int devices_init(struct device_table *table, struct share_pool *global)
{
	table->devices = NULL;
	table->origins = NULL;
	table->global = global;
	if (id_hash_init() != 0)
		return -1;
	return pthread_mutex_init(&table->lock, NULL) == 0 ? 0 : -1;
}

void devices_finish(struct device_table *table)
{
	pthread_mutex_destroy(&table->lock);
}

static struct device *find_or_add(struct device_table *table, const uint8_t *id,
	const struct device_terms *terms, int64_t now_ms)
{
	struct device *device;

	HASH_FIND(hh, table->devices, id, ID_LEN, device);
	if (device)
		return device;
	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	memcpy(device->id, id, ID_LEN);
	share_pool_init(&device->own, terms->rate, terms->burst_ms, now_ms);
	HASH_ADD_KEYPTR(hh, table->devices, device->id, ID_LEN, device);
	if (device->hh.tbl)
		return device;
	free(device); /* uthash did not add it: out of memory */
	return NULL;
}

static struct origin *find_or_add_origin(
	struct device_table *table, const uint8_t *key, int64_t now_ms)
{
	struct origin *origin;

	HASH_FIND(hh, table->origins, key, ID_LEN, origin);
	if (origin)
		return origin;
	origin = calloc(1, sizeof(*origin));
	if (!origin)
		return NULL;
	memcpy(origin->key, key, ID_LEN);
	share_child_init(&origin->share, table->global, 1, now_ms);
	HASH_ADD_KEYPTR(hh, table->origins, origin->key, ID_LEN, origin);
	if (origin->hh.tbl)
		return origin;
	free(origin);
	return NULL;
}

/* Frees what has no session. */
static void drop(struct device_table *table, struct device *device,
	struct origin *origin)
{
	if (device->sessions == 0) {
		HASH_DEL(table->devices, device);
		free(device);
	}
	if (origin && origin->sessions == 0) {
		HASH_DEL(table->origins, origin);
		free(origin);
	}
}

static struct device_part *part_of(struct device_table *table,
	struct device *device, struct origin *origin, int64_t weight,
	int64_t now_ms)
{
	struct device_part *part = device->parts;

	while (part && part->origin != origin)
		part = part->next;
	if (part)
		return part;
	part = calloc(1, sizeof(*part));
	if (!part)
		return NULL;
	share_child_init(&part->share, origin ? &origin->share : table->global,
		weight, now_ms);
	part->device = device;
	part->origin = origin;
	part->next = device->parts;
	device->parts = part;
	return part;
}

/* The values may be from before a reload. */
static void set_terms(
	struct device_part *part, const struct device_terms *terms)
{
	share_pool_set(&part->device->own, terms->rate, terms->burst_ms);
	part->device->weight = terms->weight;
	if (part->origin)
		share_pool_set(&part->origin->share, 0, terms->burst_ms);
	else if (atomic_load(&part->share.shares) != terms->weight)
		share_child_set(&part->share, terms->weight);
}

static struct device_part *get(struct device_table *table, const uint8_t *id,
	const uint8_t *source, const struct device_terms *terms, int64_t now_ms)
{
	struct device *device = find_or_add(table, id, terms, now_ms);
	struct origin *origin = NULL;
	struct device_part *part = NULL;

	if (!device)
		return NULL;
	if (source && terms->weight == 1)
		origin = find_or_add_origin(table, source, now_ms);
	if (origin || !source || terms->weight != 1)
		part = part_of(table, device, origin, terms->weight, now_ms);
	if (!part) {
		drop(table, device, origin);
		return NULL;
	}
	part->sessions++;
	device->sessions++;
	if (origin)
		origin->sessions++;
	set_terms(part, terms);
	return part;
}

struct device_part *devices_get(struct device_table *table, const uint8_t *id,
	const uint8_t *source, const struct device_terms *terms, int64_t now_ms)
{
	struct device_part *part;

	pthread_mutex_lock(&table->lock);
	part = get(table, id, source, terms, now_ms);
	pthread_mutex_unlock(&table->lock);
	return part;
}

bool devices_has(struct device_table *table, const uint8_t *id)
{
	struct device *device;

	pthread_mutex_lock(&table->lock);
	HASH_FIND(hh, table->devices, id, ID_LEN, device);
	pthread_mutex_unlock(&table->lock);
	return device != NULL;
}

void devices_put(struct device_table *table, struct device_part *part)
{
	struct device_part **at;
	struct device *device;
	struct origin *origin;

	if (!part)
		return;
	pthread_mutex_lock(&table->lock);
	device = part->device;
	origin = part->origin;
	device->sessions--;
	if (origin)
		origin->sessions--;
	if (--part->sessions == 0) {
		for (at = &device->parts; *at != part; at = &(*at)->next)
			;
		*at = part->next;
		free(part);
	}
	drop(table, device, origin);
	pthread_mutex_unlock(&table->lock);
}

static unsigned sessions_around(const struct device_part *part)
{
	return part->origin ? part->origin->sessions : part->device->sessions;
}

static bool goes_before(
	const struct device_part *one, const struct device_part *other)
{
	if (one->device->weight != other->device->weight)
		return one->device->weight > other->device->weight;
	if (sessions_around(one) != sessions_around(other))
		return sessions_around(one) > sessions_around(other);
	return one->device->sessions > other->device->sessions;
}

struct device_part *devices_sharer(struct device_table *table,
	struct device_part *one, struct device_part *other)
{
	struct device_part *sharer = one ? one : other;

	if (!one || !other)
		return sharer;
	pthread_mutex_lock(&table->lock);
	if (goes_before(other, one))
		sharer = other;
	pthread_mutex_unlock(&table->lock);
	return sharer;
}

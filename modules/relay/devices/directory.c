/* SPDX-License-Identifier: MPL-2.0 */

/* Joined devices, their connections, and their sessions. */

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "relay/devices/directory.h"
#include "shared/id_hash.h"

/* Exists while it has an owner or takes part in a session. */
struct device {
	UT_hash_handle hh;
	struct place owner;      /* conn 0: not joined */
	struct place challenger; /* a connection that waits to replace the
				    owner; conn 0: none */
	uint8_t owner_from[ID_LEN];
	uint8_t challenger_from[ID_LEN];
	uint64_t before;    /* parts up to this number are older than the
			       challenger */
	struct part *parts; /* utlist; the sessions own the items */
	uint8_t id[ID_LEN];
};

int directory_init(struct directory *dir)
{
	memset(dir, 0, sizeof(*dir));
	return pthread_mutex_init(&dir->lock, NULL) == 0 ? 0 : -1;
}

static bool same(struct place a, struct place b)
{
	return a.worker == b.worker && a.conn == b.conn;
}

static struct device *find(struct directory *dir, const uint8_t *id)
{
	struct device *device;

	HASH_FIND(hh, dir->devices, id, ID_LEN, device);
	return device;
}

static struct device *find_or_add(struct directory *dir, const uint8_t *id)
{
	struct device *device = find(dir, id);

	if (device)
		return device;
	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	memcpy(device->id, id, ID_LEN);
	HASH_ADD_KEYPTR(hh, dir->devices, device->id, ID_LEN, device);
	if (device->hh.tbl)
		return device;
	free(device); /* uthash did not add it: out of memory */
	return NULL;
}

static void drop_if_unused(struct directory *dir, struct device *device)
{
	if (device->owner.conn || device->parts)
		return;
	HASH_DEL(dir->devices, device);
	free(device);
}

void directory_finish(struct directory *dir)
{
	struct device *device, *next;

	HASH_ITER(hh, dir->devices, device, next)
	{
		HASH_DEL(dir->devices, device);
		free(device);
	}
	pthread_mutex_destroy(&dir->lock);
}

enum directory_answer directory_join(struct directory *dir, const uint8_t *id,
	struct place place, const uint8_t from[ID_LEN], struct place *owner)
{
	enum directory_answer answer = DIRECTORY_JOINED;
	struct device *device;

	pthread_mutex_lock(&dir->lock);
	device = find_or_add(dir, id);
	if (!device) {
		answer = DIRECTORY_NO_MEMORY;
	} else if (!device->owner.conn) {
		device->owner = place;
		memcpy(device->owner_from, from, ID_LEN);
	} else if (device->challenger.conn) {
		answer = DIRECTORY_TAKEN;
	} else {
		answer = DIRECTORY_CHALLENGED;
		device->challenger = place;
		memcpy(device->challenger_from, from, ID_LEN);
		device->before = dir->parts;
		*owner = device->owner;
	}
	pthread_mutex_unlock(&dir->lock);
	return answer;
}

struct place directory_defend(
	struct directory *dir, const uint8_t *id, struct place owner)
{
	struct place loser = {.conn = 0};
	struct device *device;

	pthread_mutex_lock(&dir->lock);
	device = find(dir, id);
	if (device && same(device->owner, owner)) {
		loser = device->challenger;
		device->challenger.conn = 0;
	}
	pthread_mutex_unlock(&dir->lock);
	return loser;
}

struct place directory_leave(struct directory *dir, const uint8_t *id,
	struct place place, bool *owned)
{
	struct place successor = {.conn = 0};
	struct device *device;

	pthread_mutex_lock(&dir->lock);
	device = find(dir, id);
	if (owned)
		*owned = device && same(device->owner, place);
	if (device && same(device->challenger, place)) {
		device->challenger.conn = 0;
	} else if (device && same(device->owner, place)) {
		successor = device->challenger;
		device->owner = successor;
		memcpy(device->owner_from, device->challenger_from, ID_LEN);
		device->challenger.conn = 0;
		drop_if_unused(dir, device);
	}
	pthread_mutex_unlock(&dir->lock);
	return successor;
}

bool directory_find(
	struct directory *dir, const uint8_t *id, struct place *owner)
{
	struct device *device;
	bool joined;

	pthread_mutex_lock(&dir->lock);
	device = find(dir, id);
	joined = device && device->owner.conn;
	if (joined)
		*owner = device->owner;
	pthread_mutex_unlock(&dir->lock);
	return joined;
}

void directory_each_owner(struct directory *dir,
	void (*fn)(struct place owner, void *arg), void *arg)
{
	pthread_mutex_lock(&dir->lock);
	for (struct device *device = dir->devices; device;
		device = device->hh.next)
		if (device->owner.conn)
			fn(device->owner, arg);
	pthread_mutex_unlock(&dir->lock);
}

size_t directory_size(struct directory *dir)
{
	size_t size;

	pthread_mutex_lock(&dir->lock);
	size = HASH_COUNT(dir->devices) + (size_t)(dir->parts - dir->unlinked);
	pthread_mutex_unlock(&dir->lock);
	return size;
}

void directory_each(struct directory *dir, size_t most,
	void (*on_device)(const uint8_t *id, struct place owner, void *arg),
	void (*on_part)(const struct part *part, void *arg), void *arg)
{
	pthread_mutex_lock(&dir->lock);
	for (struct device *device = dir->devices; device && most > 0;
		device = device->hh.next) {
		if (on_device && device->owner.conn) {
			on_device(device->id, device->owner, arg);
			most--;
		}
		for (struct part *part = on_part ? device->parts : NULL;
			part && most > 0; part = part->next) {
			on_part(part, arg);
			most--;
		}
	}
	pthread_mutex_unlock(&dir->lock);
}

int directory_link(struct directory *dir, struct part *part, const uint8_t *id)
{
	struct device *device;

	pthread_mutex_lock(&dir->lock);
	device = find_or_add(dir, id);
	if (device) {
		part->device = device;
		part->number = ++dir->parts;
		DL_PREPEND(device->parts, part);
	}
	pthread_mutex_unlock(&dir->lock);
	return device ? 0 : -1;
}

void directory_unlink(struct directory *dir, struct part *part)
{
	if (!part->device)
		return;
	pthread_mutex_lock(&dir->lock);
	DL_DELETE(part->device->parts, part);
	dir->unlinked++;
	drop_if_unused(dir, part->device);
	pthread_mutex_unlock(&dir->lock);
	part->device = NULL;
}

const uint8_t *directory_part_id(const struct part *part)
{
	return part->device->id;
}

bool directory_busy(struct directory *dir, const uint8_t *id)
{
	struct device *device;
	bool busy;

	pthread_mutex_lock(&dir->lock);
	device = find(dir, id);
	busy = device && device->parts;
	pthread_mutex_unlock(&dir->lock);
	return busy;
}

static bool same_source(const uint8_t a[ID_LEN], const uint8_t b[ID_LEN])
{
	return memcmp(a, b, ID_LEN) == 0;
}

/* A device may open a session from its new address before it joins from there.
 */
static bool ends(const struct device *device, const struct part *part)
{
	if (!device->challenger.conn)
		return true;
	return part->number <= device->before &&
	       (!same_source(part->from, device->challenger_from) ||
		       same_source(part->from, device->owner_from));
}

static void each_part(struct directory *dir, const uint8_t *id,
	bool (*chosen)(const struct device *device, const struct part *part),
	void (*fn)(uint64_t session, void *arg), void *arg)
{
	struct device *device;

	pthread_mutex_lock(&dir->lock);
	device = find(dir, id);
	for (struct part *part = device ? device->parts : NULL; part;
		part = part->next)
		if (!chosen || chosen(device, part))
			fn(part->session, arg);
	pthread_mutex_unlock(&dir->lock);
}

void directory_each_ending(struct directory *dir, const uint8_t *id,
	void (*fn)(uint64_t session, void *arg), void *arg)
{
	each_part(dir, id, ends, fn, arg);
}

void directory_each_session(struct directory *dir, const uint8_t *id,
	void (*fn)(uint64_t session, void *arg), void *arg)
{
	each_part(dir, id, NULL, fn, arg);
}

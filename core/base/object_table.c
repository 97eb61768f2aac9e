/* SPDX-License-Identifier: MPL-2.0 */

/* Gives the objects of one worker ids that are never reused. */

#include <stdlib.h>

#include "base/object_table.h"

/* An id is generation << 32 | slot * 2 | kind. */
#define SLOTS_FIRST 64U
#define SLOTS_MOST  (1U << 30)

void object_table_init(struct object_table *table, uint32_t kind)
{
	*table = (struct object_table){.kind = kind};
}

void object_table_finish(struct object_table *table)
{
	free(table->slots);
	*table = (struct object_table){.kind = table->kind};
}

static int grow(struct object_table *table)
{
	uint32_t size = table->size ? table->size * 2 : SLOTS_FIRST;
	struct object_slot *slots;

	if (table->size >= SLOTS_MOST)
		return -1;
	slots = reallocarray(table->slots, size, sizeof(*slots));
	if (!slots)
		return -1;
	for (uint32_t i = table->size; i < size; i++)
		slots[i] = (struct object_slot){
			.generation = 1, .next_free = i + 1};
	table->slots = slots;
	table->free = table->size;
	table->size = size;
	return 0;
}

uint64_t object_table_add(struct object_table *table, void *object)
{
	struct object_slot *slot;
	uint32_t at;

	if (table->free == table->size && grow(table) != 0)
		return 0;
	at = table->free;
	slot = &table->slots[at];
	table->free = slot->next_free;
	slot->object = object;
	table->count++;
	return (uint64_t)slot->generation << 32 | at * 2 | table->kind;
}

static struct object_slot *slot_of(
	const struct object_table *table, uint64_t id)
{
	uint32_t low = (uint32_t)id;
	struct object_slot *slot;

	if ((low & 1) != table->kind || low / 2 >= table->size)
		return NULL;
	slot = &table->slots[low / 2];
	return slot->object && slot->generation == id >> 32 ? slot : NULL;
}

void *object_table_find(const struct object_table *table, uint64_t id)
{
	struct object_slot *slot = slot_of(table, id);

	return slot ? slot->object : NULL;
}

void object_table_remove(struct object_table *table, uint64_t id)
{
	struct object_slot *slot = slot_of(table, id);

	if (!slot)
		return;
	slot->object = NULL;
	table->count--;
	/* A slot whose generation has wrapped around is never used again. */
	if (++slot->generation == 0)
		return;
	slot->next_free = table->free;
	table->free = (uint32_t)(slot - table->slots);
}

void object_table_each(struct object_table *table,
	void (*fn)(void *object, void *arg), void *arg)
{
	for (uint32_t i = 0; i < table->size; i++)
		if (table->slots[i].object)
			fn(table->slots[i].object, arg);
}

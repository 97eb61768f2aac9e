/* SPDX-License-Identifier: MPL-2.0 */

/* Gives the objects of one worker ids that are never reused. */

#include <stdlib.h>

#include "base/object_table.h"

/* An id is generation << 32 | home << HOME_SHIFT | slot * 2 | kind. */
#define HOME_SHIFT  24
#define SLOTS_FIRST 64U
#define SLOTS_MOST  (1U << (HOME_SHIFT - 1))

_Static_assert(
	OBJECT_TABLES_MOST <= 1U << (32 - HOME_SHIFT), "an id names its home");

/* `next_free` of a slot whose object is away: AWAY | moves << 8 | where. */
#define AWAY       (1U << 31)
#define WHERE      (OBJECT_TABLES_MOST - 1U)
#define MOVES_MASK ((1U << 23) - 1)

static uint32_t away_to(uint32_t to, uint32_t moves)
{
	return AWAY | (moves & MOVES_MASK) << 8 | to;
}

void object_table_init(struct object_table *table, uint32_t kind, uint32_t home)
{
	*table = (struct object_table){.kind = kind, .home = home};
}

void object_table_finish(struct object_table *table)
{
	free(table->slots);
	object_guests_finish(&table->guests);
	object_table_init(table, table->kind, table->home);
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
	slot->next_free = 0;
	return (uint64_t)slot->generation << 32 | table->home << HOME_SHIFT |
	       at * 2 | table->kind;
}

uint32_t object_table_home(uint64_t id)
{
	return (uint32_t)id >> HOME_SHIFT;
}

/* The slot of an object that is here or away; NULL: it has ended. */
static struct object_slot *slot_of(
	const struct object_table *table, uint64_t id)
{
	uint32_t low = (uint32_t)id, at = low % (1U << HOME_SHIFT) / 2;
	struct object_slot *slot;

	if ((low & 1) != table->kind || low >> HOME_SHIFT != table->home ||
		at >= table->size)
		return NULL;
	slot = &table->slots[at];
	return slot->generation == id >> 32 &&
			       (slot->object || slot->next_free & AWAY)
		       ? slot
		       : NULL;
}

static bool is_guest(const struct object_table *table, uint64_t id)
{
	return object_table_home(id) != table->home;
}

void *object_table_find(const struct object_table *table, uint64_t id)
{
	struct object_slot *slot;

	if (is_guest(table, id))
		return object_guests_find(&table->guests, id);
	slot = slot_of(table, id);
	return slot ? slot->object : NULL;
}

static void let_go(struct object_table *table, struct object_slot *slot)
{
	slot->object = NULL;
	slot->next_free = 0;
	/* A slot whose generation has wrapped around is never used again. */
	if (++slot->generation == 0)
		return;
	slot->next_free = table->free;
	table->free = (uint32_t)(slot - table->slots);
}

void object_table_remove(struct object_table *table, uint64_t id)
{
	struct object_slot *slot;

	if (is_guest(table, id)) {
		table->count -= object_guests_remove(&table->guests, id);
		return;
	}
	slot = slot_of(table, id);
	if (!slot || !slot->object)
		return;
	table->count--;
	let_go(table, slot);
}

void object_table_leave(
	struct object_table *table, uint64_t id, uint32_t to, uint32_t moves)
{
	struct object_slot *slot = slot_of(table, id);

	if (is_guest(table, id)) {
		object_table_remove(table, id);
	} else if (slot && slot->object) {
		slot->object = NULL;
		slot->next_free = away_to(to, moves);
		table->count--;
	}
}

int object_table_enter(struct object_table *table, uint64_t id, void *object)
{
	struct object_slot *slot = slot_of(table, id);

	if (is_guest(table, id)) {
		if (object_guests_add(&table->guests, id, object) != 0)
			return -1;
	} else if (slot) {
		slot->object = object;
		slot->next_free = 0;
	}
	table->count++;
	return 0;
}

void object_table_moved(
	struct object_table *table, uint64_t id, uint32_t to, uint32_t moves)
{
	struct object_slot *slot = slot_of(table, id);
	uint32_t since;

	if (!slot || slot->object)
		return;
	/* The number wraps around: half of all numbers are newer. */
	since = (moves - (slot->next_free >> 8)) & MOVES_MASK;
	if (since <= MOVES_MASK / 2)
		slot->next_free = away_to(to, moves);
}

void object_table_ended(struct object_table *table, uint64_t id)
{
	struct object_slot *slot = slot_of(table, id);

	if (slot && !slot->object)
		let_go(table, slot);
}

int object_table_next(const struct object_table *table, uint64_t id)
{
	const struct object_slot *slot;

	if (is_guest(table, id))
		return (int)object_table_home(id);
	slot = slot_of(table, id);
	return slot && !slot->object ? (int)(slot->next_free & WHERE) : -1;
}

void object_table_each(struct object_table *table,
	void (*fn)(void *object, void *arg), void *arg)
{
	for (uint32_t i = 0; i < table->size; i++)
		if (table->slots[i].object)
			fn(table->slots[i].object, arg);
	object_guests_each(&table->guests, fn, arg);
}

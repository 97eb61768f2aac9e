/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Names one worker's objects by numbers that are never given twice.
 *
 * An id is a slot and the slot's generation; a look-up is two loads.  Objects
 * of different kinds get ids that never meet.
 */
#ifndef OBJECT_TABLE_H
#define OBJECT_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct object_slot {
	void *object; /* borrowed; NULL: free */
	uint32_t generation;
	uint32_t next_free;
};

struct object_table {
	struct object_slot *slots; /* owned */
	uint32_t size, count;
	uint32_t free; /* first free slot; size: none */
	uint32_t kind; /* 0 or 1: becomes part of the ids */
};

void object_table_init(struct object_table *table, uint32_t kind);
void object_table_finish(struct object_table *table);

/* The new id, never 0; 0 without memory. */
uint64_t object_table_add(struct object_table *table, void *object);
/* NULL when that object was removed, or the id is of another kind. */
void *object_table_find(const struct object_table *table, uint64_t id);
/* Does nothing for an id that is not there. */
void object_table_remove(struct object_table *table, uint64_t id);

/* Calls fn for every object; fn may remove the one it is called for. */
void object_table_each(struct object_table *table,
	void (*fn)(void *object, void *arg), void *arg);

#endif

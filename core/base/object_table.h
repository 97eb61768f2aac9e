/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Gives the objects of one worker ids that are never reused.
 *
 * An id consists of a slot, the slot's generation and the kind of the object,
 * so that ids of different kinds always differ.  A look-up is two loads.
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
	uint32_t free; /* first free slot; equals `size` if none is free */
	uint32_t kind; /* 0 or 1: becomes part of the ids */
};

void object_table_init(struct object_table *table, uint32_t kind);
void object_table_finish(struct object_table *table);

/* The new id, never 0; 0 without memory. */
uint64_t object_table_add(struct object_table *table, void *object);
/* NULL if the object was removed, or the id is of another kind. */
void *object_table_find(const struct object_table *table, uint64_t id);
/* Does nothing for an id that is not in the table. */
void object_table_remove(struct object_table *table, uint64_t id);

/* Calls fn for every object; fn may remove the one it is called for. */
void object_table_each(struct object_table *table,
	void (*fn)(void *object, void *arg), void *arg);

#endif

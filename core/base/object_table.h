/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Gives the objects of one worker ids that are never reused.
 *
 * An id consists of a slot, the slot's generation, the kind of the object and
 * the number of the table, its home; so ids of different kinds or tables always
 * differ.  A look-up is two loads.
 *
 * An object may leave for another table and keeps its id.  Its home remembers
 * where it is: who looks for it asks there, see object_table_next().  In the
 * table that it is in it is a guest.
 */
#ifndef OBJECT_TABLE_H
#define OBJECT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/object_guests.h"

#define OBJECT_TABLES_MOST 256

struct object_slot {
	void *object; /* borrowed; NULL: free, or away */
	uint32_t generation;
	uint32_t next_free; /* while it is away: see object_table.c */
};

struct object_table {
	struct object_slot *slots; /* owned */
	struct object_guests guests;
	uint32_t size, count; /* `count` has guests, but none that is away */
	uint32_t free; /* first free slot; equals `size` if none is free */
	uint32_t kind; /* 0 or 1: becomes part of the ids, as does `home` */
	uint32_t home;
};

/* home < OBJECT_TABLES_MOST */
void object_table_init(
	struct object_table *table, uint32_t kind, uint32_t home);
void object_table_finish(struct object_table *table);

/* The new id, never 0; 0 without memory. */
uint64_t object_table_add(struct object_table *table, void *object);
/* NULL if the object was removed or is away, or the id is of another kind. */
void *object_table_find(const struct object_table *table, uint64_t id);
/* Does nothing for an id that is not in the table. */
void object_table_remove(struct object_table *table, uint64_t id);

/*
 * The object leaves for the table `to`.  `moves` counts its moves, this one
 * included: if it is a guest here, its home must be told by
 * object_table_moved() with the same number.
 */
void object_table_leave(
	struct object_table *table, uint64_t id, uint32_t to, uint32_t moves);
/* It arrives, as a guest or at home.  0, or -1 without memory. */
int object_table_enter(struct object_table *table, uint64_t id, void *object);
/* At home: it has moved on to `to`.  News may come late, or after its end. */
void object_table_moved(
	struct object_table *table, uint64_t id, uint32_t to, uint32_t moves);
/* At home: it has ended elsewhere. */
void object_table_ended(struct object_table *table, uint64_t id);

/* Which table gives this id. */
uint32_t object_table_home(uint64_t id);
/* Where to look for an object that is not in this table; -1: it has ended. */
int object_table_next(const struct object_table *table, uint64_t id);

/* Calls fn for every object; fn may remove the one it is called for. */
void object_table_each(struct object_table *table,
	void (*fn)(void *object, void *arg), void *arg);

#endif

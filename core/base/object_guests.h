/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Objects by id: those on a worker whose ids another worker has given.  See
 * object_table.h, which uses it.
 */
#ifndef OBJECT_GUESTS_H
#define OBJECT_GUESTS_H

#include <stdbool.h>
#include <stdint.h>

struct object_guest {
	uint64_t id;  /* 0: this place is free, or was left */
	void *object; /* borrowed; of a place that was left, not NULL */
};

/* A hash table with open addressing; all zero: empty. */
struct object_guests {
	struct object_guest *places; /* owned */
	uint32_t size;               /* 0, or a power of two */
	uint32_t count;
	uint32_t left; /* places that were left: a search goes on behind them */
};

void object_guests_finish(struct object_guests *guests);
/* The id must not be there.  0, or -1 without memory. */
int object_guests_add(struct object_guests *guests, uint64_t id, void *object);
/* NULL: it is not there. */
void *object_guests_find(const struct object_guests *guests, uint64_t id);
/* False: it was not there. */
bool object_guests_remove(struct object_guests *guests, uint64_t id);
/* Calls fn for every object; fn may remove the one it is called for. */
void object_guests_each(struct object_guests *guests,
	void (*fn)(void *object, void *arg), void *arg);

#endif

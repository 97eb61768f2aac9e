/* SPDX-License-Identifier: MPL-2.0 */

/*
 * table.h - this node's copy of a table that all nodes have together.  Pure.
 *
 * Of two rows with one key the one with the higher rank wins.  With the same
 * rank it is the one that the registry has, so that all nodes agree.
 */
#ifndef CLUSTER_TABLE_H
#define CLUSTER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/shared_table.h>

#include "shared/id_hash.h"

struct table_row {
	UT_hash_handle hh;
	struct relay_shared_row row;
	uint64_t change; /* the number of its last change */
	bool stored;     /* the registry has it, as far as is known */
	bool sent;       /* it is on its way there */
	bool decided;    /* it was put above what is there, which was perhaps
			    not known: it is raised until it is stored */
};

struct table {
	char name[RELAY_SHARED_NAME];
	struct table_row *rows; /* uthash, owned */
	size_t unstored;        /* rows */
	uint64_t changes;       /* the number of the last change */
};

/* Of changes, the first has the number after `changes`.  0, or -1: the name is
 * none. */
int table_init(struct table *table, const char *name, uint64_t changes);
void table_finish(struct table *table);
/* NULL: there is none. */
struct table_row *table_find(const struct table *table, const uint8_t *key);
size_t table_count(const struct table *table);
/* As in struct relay_shared_tables. */
int table_put(struct table *table, const struct relay_shared_row *row);
/* A row that the registry has.  0, or -1: no memory, or the table is full. */
int table_take(struct table *table, const struct relay_shared_row *row);
/* Nothing is known any more of what the registry has. */
void table_forget_stored(struct table *table);
/* What was on its way may not have arrived. */
void table_forget_sent(struct table *table);
/* The row of that key is not on its way any more. */
void table_not_sent(struct table *table, const uint8_t *key);
/* Rows that changed after `since` and have not ended; as in struct
 * relay_shared_tables. */
uint64_t table_changes(const struct table *table, uint64_t since, int64_t now_s,
	void (*visit)(void *arg, const struct relay_shared_row *row),
	void *arg);
/* Whether it has ended. */
bool table_is_over(const struct relay_shared_row *row, int64_t now_s);
/* Removes a row. */
void table_remove(struct table *table, struct table_row *row);

#endif

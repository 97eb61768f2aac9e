/* SPDX-License-Identifier: MPL-2.0 */

/* This node's copy of a table that all nodes have together. */

#include <stdlib.h>
#include <string.h>

#include "cluster/tables/table.h"

int table_init(struct table *table, const char *name, uint64_t changes)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	size_t len = strlen(name);

	*table = (struct table){.changes = changes};
	if (!len || len >= sizeof(table->name) || strspn(name, letters) != len)
		return -1;
	memcpy(table->name, name, len + 1);
	return id_hash_init();
}

void table_remove(struct table *table, struct table_row *row)
{
	table->unstored -= !row->stored;
	HASH_DELETE(hh, table->rows, row);
	free(row);
}

void table_finish(struct table *table)
{
	while (table->rows)
		table_remove(table, table->rows);
}

size_t table_count(const struct table *table)
{
	return HASH_COUNT(table->rows);
}

struct table_row *table_find(const struct table *table, const uint8_t *key)
{
	struct table_row *row;

	HASH_FIND(hh, table->rows, key, RELAY_SHARED_KEY, row);
	return row;
}

/* NULL: no memory, or the table is full. */
static struct table_row *add(struct table *table, const uint8_t *key)
{
	struct table_row *row;

	if (table_count(table) >= RELAY_SHARED_ROWS)
		return NULL;
	row = calloc(1, sizeof(*row));
	if (!row)
		return NULL;
	memcpy(row->row.key, key, RELAY_SHARED_KEY);
	HASH_ADD(hh, table->rows, row.key, RELAY_SHARED_KEY, row);
	if (!row->hh.tbl) { /* no memory */
		free(row);
		return NULL;
	}
	table->unstored++;
	return row;
}

static void set_stored(struct table *table, struct table_row *row, bool stored)
{
	table->unstored -= !row->stored;
	row->stored = stored;
	table->unstored += !row->stored;
}

static void change(struct table *table, struct table_row *row,
	const struct relay_shared_row *to)
{
	row->row = *to;
	row->change = ++table->changes;
}

static uint64_t above(uint64_t rank)
{
	return rank < UINT64_MAX ? rank + 1 : rank;
}

int table_put(struct table *table, const struct relay_shared_row *row)
{
	struct table_row *known = table_find(table, row->key);
	struct relay_shared_row next = *row;
	uint64_t rank = known ? known->row.rank : 0;

	if (row->len > RELAY_SHARED_VALUE)
		return -1;
	if (!row->rank)
		next.rank = above(rank);
	else if (known && row->rank <= rank)
		return 0;
	if (!known && !(known = add(table, row->key)))
		return -1;
	known->decided = !row->rank;
	change(table, known, &next);
	set_stored(table, known, false);
	return 0;
}

static bool same(
	const struct relay_shared_row *a, const struct relay_shared_row *b)
{
	return a->rank == b->rank && a->until_s == b->until_s &&
	       a->len == b->len && memcmp(a->value, b->value, a->len) == 0;
}

int table_take(struct table *table, const struct relay_shared_row *row)
{
	struct table_row *known = table_find(table, row->key);

	if (!known && !(known = add(table, row->key)))
		return -1;
	if (same(row, &known->row)) {
		known->decided = false;
		set_stored(table, known, true);
		return 0;
	}
	/* Who decided did not know of that row. */
	if (known->decided && row->rank >= known->row.rank)
		known->row.rank = above(row->rank);
	if (row->rank < known->row.rank) {
		set_stored(table, known, false);
		return 0;
	}
	known->decided = false;
	change(table, known, row);
	set_stored(table, known, true);
	return 0;
}

void table_forget_stored(struct table *table)
{
	for (struct table_row *row = table->rows; row; row = row->hh.next)
		set_stored(table, row, false);
}

void table_forget_sent(struct table *table)
{
	for (struct table_row *row = table->rows; row; row = row->hh.next)
		row->sent = false;
}

void table_not_sent(struct table *table, const uint8_t *key)
{
	struct table_row *row = table_find(table, key);

	if (row)
		row->sent = false;
}

bool table_is_over(const struct relay_shared_row *row, int64_t now_s)
{
	return row->until_s && row->until_s <= now_s;
}

uint64_t table_changes(const struct table *table, uint64_t since, int64_t now_s,
	void (*visit)(void *arg, const struct relay_shared_row *row), void *arg)
{
	const struct table_row *row;

	/* That number is of another table. */
	if (since > table->changes)
		since = 0;
	for (row = since == table->changes ? NULL : table->rows; row;
		row = row->hh.next)
		if (row->change > since && !table_is_over(&row->row, now_s))
			visit(arg, &row->row);
	return table->changes;
}

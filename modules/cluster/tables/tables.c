/* SPDX-License-Identifier: MPL-2.0 */

/* The shared tables, and how they get to the registry and from there. */

#include <string.h>

#include "cluster/tables/tables.h"

#define SWEEP_S 60

void tables_init(struct tables *tables, const struct tables_calls *calls,
	void *arg, uint64_t first)
{
	*tables = (struct tables){.calls = calls, .arg = arg, .first = first};
}

void tables_finish(struct tables *tables)
{
	while (tables->count)
		table_finish(&tables->of[--tables->count].table);
}

struct table *tables_get(struct tables *tables, const char *name)
{
	struct synced *next = &tables->of[tables->count];

	for (unsigned i = 0; i < tables->count; i++)
		if (strcmp(tables->of[i].table.name, name) == 0)
			return &tables->of[i].table;
	if (tables->count == RELAY_SHARED_MOST)
		return NULL;
	memset(next, 0, sizeof(*next));
	if (table_init(&next->table, name, tables->first) != 0)
		return NULL;
	tables->count++;
	return &next->table;
}

void tables_back(struct tables *tables, int64_t now_ms)
{
	tables->reachable = true;
	for (unsigned i = 0; i < tables->count; i++)
		tables->of[i].whole_ms = tables->of[i].read_ms = now_ms;
}

void tables_away(struct tables *tables)
{
	tables->reachable = false;
	for (unsigned i = 0; i < tables->count; i++) {
		tables->of[i].asked = tables->of[i].complete = false;
		tables->of[i].missed = false;
		tables->of[i].sent = 0;
		table_forget_sent(&tables->of[i].table);
	}
}

int tables_came(struct tables *tables, unsigned table,
	const struct relay_shared_row *row)
{
	struct table *to = &tables->of[table].table;

	if (table >= tables->count || table_take(to, row) == 0)
		return 0;
	/* Of a table that is full, the rest would not be read either. */
	if (table_count(to) < RELAY_SHARED_ROWS)
		tables_missed(tables, table);
	return -1;
}

void tables_missed(struct tables *tables, unsigned table)
{
	if (table < tables->count)
		tables->of[table].missed = true;
}

void tables_over(struct tables *tables, unsigned table,
	const struct tables_page *page, int64_t now_ms)
{
	struct synced *synced = &tables->of[table];
	bool missed;

	if (table >= tables->count || !synced->asked)
		return;
	missed = synced->missed;
	synced->asked = synced->missed = false;
	synced->read_ms = now_ms + TABLES_READ_MS;
	if (!page->answered || missed)
		return;
	/* What is there is older than what was read: a server with old data. */
	if (page->last < synced->since) {
		synced->whole_ms = synced->read_ms;
		return;
	}
	synced->since = page->next;
	if (page->more && ++synced->pages < TABLES_PAGES) {
		synced->read_ms = now_ms;
		return;
	}
	synced->pages = 0;
	synced->complete = true;
}

int tables_stored(struct tables *tables, unsigned table, const uint8_t *key,
	const struct relay_shared_row *row)
{
	struct synced *synced = &tables->of[table];

	if (table >= tables->count)
		return 0;
	synced->sent -= synced->sent > 0;
	table_not_sent(&synced->table, key);
	return row ? table_take(&synced->table, row) : 0;
}

static void read_changes(struct tables *tables, unsigned at, int64_t now_ms)
{
	struct synced *synced = &tables->of[at];

	if (now_ms >= synced->whole_ms) {
		synced->whole_ms = now_ms + TABLES_WHOLE_MS;
		synced->since = 0;
		synced->pages = 0;
		synced->complete = false;
		table_forget_stored(&synced->table);
	}
	synced->asked =
		tables->calls->read(tables->arg, at, synced->since) == 0;
	if (!synced->asked)
		synced->read_ms = now_ms + TABLES_READ_MS;
}

static void store_rows(struct tables *tables, unsigned at)
{
	struct synced *synced = &tables->of[at];
	struct table_row *row =
		synced->table.unstored ? synced->table.rows : NULL;

	for (; row && synced->sent < TABLES_SENT; row = row->hh.next) {
		if (row->stored || row->sent)
			continue;
		if (tables->calls->store(tables->arg, at, &row->row) != 0)
			return;
		row->sent = true;
		synced->sent++;
	}
}

/* If this clock is ahead, another node stores the row again. */
static void sweep(struct tables *tables, unsigned at, int64_t now_s)
{
	struct table *table = &tables->of[at].table;
	struct table_row *row = table->rows, *next;

	for (; row; row = next) {
		next = row->hh.next;
		if (!table_is_over(&row->row, now_s))
			continue;
		if (tables->reachable)
			(void)tables->calls->drop(tables->arg, at, &row->row);
		table_remove(table, row);
	}
}

void tables_tick(struct tables *tables, int64_t now_ms, int64_t now_s)
{
	bool sweeps =
		now_s - tables->swept_s >= SWEEP_S || now_s < tables->swept_s;

	for (unsigned i = 0; i < tables->count; i++) {
		const struct synced *synced = &tables->of[i];

		if (sweeps)
			sweep(tables, i, now_s);
		if (!tables->reachable)
			continue;
		if (!synced->asked && now_ms >= synced->read_ms)
			read_changes(tables, i, now_ms);
		if (synced->complete)
			store_rows(tables, i);
	}
	if (sweeps)
		tables->swept_s = now_s;
}

size_t tables_rows(const struct tables *tables)
{
	size_t count = 0;

	for (unsigned i = 0; i < tables->count; i++)
		count += table_count(&tables->of[i].table);
	return count;
}

size_t tables_unstored(const struct tables *tables)
{
	size_t count = 0;

	for (unsigned i = 0; i < tables->count; i++)
		count += tables->of[i].table.unstored;
	return count;
}

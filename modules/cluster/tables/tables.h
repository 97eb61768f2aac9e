/* SPDX-License-Identifier: MPL-2.0 */

/*
 * tables.h - the shared tables, and how they get to the registry and from
 * there.  Pure: time is passed in.
 *
 * Every two seconds the changes of each table are read, and what changed here
 * is sent at once.  Every four minutes, and when the registry is back, all rows
 * are read: those that it has lost are sent again, so an empty registry and
 * lost rows heal.
 */
#ifndef CLUSTER_TABLES_H
#define CLUSTER_TABLES_H

#include "cluster/tables/table.h"

#define TABLES_READ_MS  2000
#define TABLES_WHOLE_MS 240000
/* Of a table, more rows are not on their way at a time. */
#define TABLES_SENT 256
/* Of a table, more pages are not read in a row. */
#define TABLES_PAGES 200

struct tables_calls {
	/* Each returns 0, or -1 if the registry cannot be asked now. */
	/* Rows that changed after `since`: tables_came(), tables_over(). */
	int (*read)(void *arg, unsigned table, uint64_t since);
	/* tables_stored() follows. */
	int (*store)(
		void *arg, unsigned table, const struct relay_shared_row *row);
	/* Removes a row that has ended.  Nothing follows. */
	int (*drop)(
		void *arg, unsigned table, const struct relay_shared_row *row);
};

struct synced {
	struct table table;
	bool asked;       /* rows are being read */
	bool missed;      /* one could not be taken, for want of memory */
	bool complete;    /* all of them have been */
	uint64_t since;   /* what was read has that number */
	unsigned pages;   /* in a row */
	unsigned sent;    /* rows */
	int64_t read_ms;  /* when to read again */
	int64_t whole_ms; /* when to read all */
};

struct tables {
	struct synced of[RELAY_SHARED_MOST];
	unsigned count;
	uint64_t first; /* changes have higher numbers */
	bool reachable;
	int64_t swept_s; /* when rows that had ended were removed */
	const struct tables_calls *calls;
	void *arg;
};

void tables_init(struct tables *tables, const struct tables_calls *calls,
	void *arg, uint64_t first);
void tables_finish(struct tables *tables);
/* The table of that name, which is made if need be.  NULL: there are too many,
 * or the name is none. */
struct table *tables_get(struct tables *tables, const char *name);
/* The registry can be reached again, or not any more. */
void tables_back(struct tables *tables, int64_t now_ms);
void tables_away(struct tables *tables);
/* A row that was read.  0, or -1: no memory, or the table is full. */
int tables_came(struct tables *tables, unsigned table,
	const struct relay_shared_row *row);
/* One of the rows that are being read was not taken, for want of memory: they
 * are read again. */
void tables_missed(struct tables *tables, unsigned table);
struct tables_page {
	bool answered;
	bool more;     /* rows follow */
	uint64_t next; /* the number to go on with */
	uint64_t last; /* that of the last change there */
};
void tables_over(struct tables *tables, unsigned table,
	const struct tables_page *page, int64_t now_ms);
/* What is stored now under that key; NULL: there was no answer. */
int tables_stored(struct tables *tables, unsigned table, const uint8_t *key,
	const struct relay_shared_row *row);
/* Does what is due. */
void tables_tick(struct tables *tables, int64_t now_ms, int64_t now_s);
/* Rows of all tables, and those that the registry does not have. */
size_t tables_rows(const struct tables *tables);
size_t tables_unstored(const struct tables *tables);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Shared tables: small tables that all servers of a cluster have together, for
 * modules that bound or refuse something at all of them.  Since API 1.8.
 *
 * Who connects several servers, such as the module cluster, publishes the
 * service RELAY_SHARED_TABLES.  Each server has a copy of each table, which is
 * read and changed without waiting.  Changes reach the other servers within
 * seconds, or when they can be reached again; of two rows with one key, the one
 * with the higher rank wins.  So nothing is lost or counted twice if messages
 * are lost, come twice or in another order, or what is between the servers is
 * empty after a restart.  All functions are [C].
 */
#ifndef RELAY_SHARED_TABLE_H
#define RELAY_SHARED_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct relay_ctx;

#define RELAY_SHARED_TABLES         "shared-tables"
#define RELAY_SHARED_TABLES_VERSION 1

#define RELAY_SHARED_KEY   32
#define RELAY_SHARED_VALUE 40
/* The longest name of a table, with its end: small letters. */
#define RELAY_SHARED_NAME 16
/* A table has no more rows, and a server no more tables. */
#define RELAY_SHARED_ROWS 20000
#define RELAY_SHARED_MOST 8

struct relay_shared_row {
	uint8_t key[RELAY_SHARED_KEY];
	/* The higher one of a key wins.  For put(), 0: above the one that is
	 * there. */
	uint64_t rank;
	int64_t until_s; /* seconds since 1970, when it is dropped; 0: never */
	uint8_t len;     /* of the value */
	uint8_t value[RELAY_SHARED_VALUE];
};

struct relay_shared_tables {
	/* The name of this server among the others, which lasts longer than the
	 * process. */
	const char *(*name)(struct relay_ctx *self);
	/* Whether the others can be reached now. */
	bool (*reachable)(struct relay_ctx *self);
	/* Puts the row, unless one with the same rank or a higher one is there.
	 * 0, or -1: no memory, or the table is full. */
	int (*put)(struct relay_ctx *self, const char *table,
		const struct relay_shared_row *row);
	/*
	 * Visits the rows that have changed since the visit that ended with
	 * this number; 0: all rows.  Returns the number for the next visit.
	 * `visit` must not call put().  If the provider was replaced meanwhile,
	 * all rows are visited.
	 */
	uint64_t (*changes)(struct relay_ctx *self, const char *table,
		uint64_t since,
		void (*visit)(void *arg, const struct relay_shared_row *row),
		void *arg);
};

#ifdef __cplusplus
}
#endif

#endif

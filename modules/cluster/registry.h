/* SPDX-License-Identifier: MPL-2.0 */

/*
 * registry.h - what all nodes of a cluster share: who has which device, the
 * leases of nodes, and messages between them.
 *
 * The cluster asks through this interface and knows no engine.  The engine is
 * the module that publishes the service REGISTRY_SERVICE, else Redis (redis/);
 * in tests it is a simulation.  All functions run on the control thread and
 * return at once.  Results come by struct registry_calls, never from within a
 * function of struct registry_ops.
 */
#ifndef CLUSTER_REGISTRY_H
#define CLUSTER_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay_ctx;
struct relay_err;

#define REGISTRY_SERVICE         "registry"
#define REGISTRY_SERVICE_VERSION 1

/* A device ID has 32 bytes. */
#define REGISTRY_ID 32
/* The largest message or lease, in bytes. */
#define REGISTRY_MESSAGE 512
/* The largest row of a shared table, in bytes, and the most rows. */
#define REGISTRY_ROW  96
#define REGISTRY_ROWS 20000

/* Who has a device.  A process has a random incarnation, never 0.  The epoch
 * rises each time the device joins. */
struct owner {
	uint64_t incarnation; /* 0: nobody */
	uint64_t epoch;       /* 1 or more; 0: unknown */
};

enum claim_how {
	/* The device has joined here.  It becomes ours, with an epoch above the
	 * one that is found, and above `epoch`. */
	CLAIM_JOIN,
	/* It should be ours with `epoch`.  It becomes ours if nobody has it, or
	 * one with a lower epoch, or with the same epoch and a lower
	 * incarnation; the epoch that is then stored is `epoch`. */
	CLAIM_CHECK,
};

enum find_end {
	FIND_SENT,    /* the message is on its way to the device's owner */
	FIND_OURS,    /* the owner is this process */
	FIND_NOBODY,  /* nobody has it, or the owner's lease is over */
	FIND_UNKNOWN, /* the registry did not answer */
};

/* A table that all nodes have together, see tables/.  The number returns with
 * each result.  The name has up to 15 small letters. */
struct registry_table {
	unsigned number;
	const char *name;
};

/* The first 8 bytes are its rank, big-endian: the higher one is stored. */
struct registry_row {
	const uint8_t *key; /* REGISTRY_ID bytes */
	const uint8_t *bytes;
	size_t len;
};

/* How rows() has ended. */
struct registry_page {
	bool answered;
	bool more;     /* changes follow */
	uint64_t next; /* the number of the last change that was told */
	uint64_t last; /* the number of the last change */
};

/* Results and events, [C]. */
struct registry_calls {
	/* One for each claim(), in their order.  `before` was stored, `now` is.
	 * Both incarnations 0: the registry did not answer. */
	void (*claimed)(void *arg, const uint8_t id[REGISTRY_ID],
		const struct owner *before, const struct owner *now);
	/* One for each find(). */
	void (*found)(void *arg, uint64_t number, enum find_end end);
	/* A message to this node or to all, or a lease of lease_all().  It may
	 * be of somebody else, and of any length. */
	void (*received)(void *arg, const uint8_t *bytes, size_t len);
	/* What identify() has found. */
	void (*identified)(void *arg, const uint8_t id[REGISTRY_ID]);
	/* It can be reached (again), and may be asked from within this call.
	 * `whole`: what was written before is there still, as far as can be
	 * known: the same server as last time. */
	void (*back)(void *arg, bool whole);
	/* It cannot be reached, or is too slow to be asked now.  Once before
	 * each back().  What is under way is answered first; a request may have
	 * reached it all the same. */
	void (*away)(void *arg, const char *why);
	/* One for each row_put(): what is stored now.  row->bytes NULL: the
	 * registry did not answer. */
	void (*row_stored)(
		void *arg, unsigned table, const struct registry_row *row);
	/* For each rows(), its rows and then its end.  Rows may be anybody's.
	 */
	void (*row_came)(
		void *arg, unsigned table, const struct registry_row *row);
	void (*rows_over)(
		void *arg, unsigned table, const struct registry_page *page);
};

/*
 * What is asked may be done late: on a connection that was given up, after what
 * was asked on the next one.  So each claim of a process has a serial number
 * above those before, and it is stored with the entry; the highest one stays.
 */
struct registry_ops {
	/* 0; or -1 if it cannot be asked now, and then no result comes. */
	int (*claim)(void *self, const uint8_t id[REGISTRY_ID],
		enum claim_how how, uint64_t epoch, uint64_t serial);
	/* Removes the entry if it is ours, and of a claim with that serial or a
	 * lower one.  No result. */
	int (*release)(
		void *self, const uint8_t id[REGISTRY_ID], uint64_t serial);
	/* Looks the owner up and, if its lease lives, sends it the message,
	 * in one round trip. */
	int (*find)(void *self, const uint8_t id[REGISTRY_ID], uint64_t number,
		const uint8_t *message, size_t len);
	/* To one incarnation; 0: to all nodes, this one included. */
	int (*send)(void *self, uint64_t incarnation, const uint8_t *message,
		size_t len);
	/* Stores this node's lease for that long, and sends it to all. */
	int (*lease)(
		void *self, const uint8_t *lease, size_t len, int64_t for_ms);
	/* Removes it. */
	int (*lease_end)(void *self);
	/* Each lease that is stored is received(). */
	int (*lease_all)(void *self);
	/* Stores the ID of the cluster's relay if there is none; then
	 * identified() with what is stored. */
	int (*identify)(void *self, const uint8_t id[REGISTRY_ID]);
	/* Stores a row, unless one with its rank or a higher one is stored; or
	 * if what is stored is `instead`, which may be NULL.  A row that is
	 * stored is a change, and has the next number of its table. */
	int (*row_put)(void *self, const struct registry_table *table,
		const struct registry_row *row,
		const struct registry_row *instead);
	/* Removes the row of that key, unless its rank is higher.  No result.
	 */
	int (*row_drop)(void *self, const struct registry_table *table,
		const struct registry_row *row);
	/* Rows that were stored after that change, in the order of changes, or
	 * some of them. */
	int (*rows)(
		void *self, const struct registry_table *table, uint64_t since);
};

/* The service.  `self` is the context from relay_service_find().  Its module is
 * RELAY_ESSENTIAL, since the registry is open until the cluster stops. */
struct registry_service {
	/* Opens it for this process; `arg` is of `calls`, none of which is
	 * called from here.  NULL with err. */
	void *(*open)(struct relay_ctx *self, const char *cluster,
		uint64_t incarnation, const struct registry_calls *calls,
		void *arg, struct relay_err *err);
	/* Calls nothing any more.  Sends what is queued if it can. */
	void (*close)(void *registry);
	const struct registry_ops *ops; /* `self` there is what open() made */
};

#endif

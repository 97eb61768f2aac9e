/* SPDX-License-Identifier: MPL-2.0 */

/*
 * directory.h - joined devices, their connections, and their sessions.
 *
 * Shared by all threads; every function holds its lock for a few lookups.
 */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/source.h"

struct device;

/* A connection and its worker. conn 0: none. */
struct place {
	int worker;
	uint64_t conn; /* relay_conn_id() there */
	bool proved;   /* its device has sent the right token; not compared */
};

/* A device's part in an active session; stored in the session's block. */
struct part {
	struct part *next, *prev; /* of the same device */
	struct device *device;    /* NULL: not linked */
	uint8_t from[ID_LEN];     /* see struct source, key[0] */
	uint64_t number;          /* rises with each part of the directory */
	uint64_t session;         /* relay_session_id() */
};

struct directory {
	pthread_mutex_t lock;
	struct device *devices; /* uthash, by ID */
	uint64_t parts;         /* how many were linked so far */
	uint64_t unlinked;      /* of these, how many are gone */
};

enum directory_answer {
	DIRECTORY_JOINED,     /* registered */
	DIRECTORY_CHALLENGED, /* another connection has the ID: check that it is
				 alive */
	DIRECTORY_TAKEN,      /* such a check is already running */
	DIRECTORY_NO_MEMORY,
};

int directory_init(struct directory *dir);
void directory_finish(struct directory *dir);

/*
 * Checks and registers in one step (protocol, "Behaviour").  With
 * DIRECTORY_CHALLENGED *owner is the current owner, and `place` is stored as
 * its possible successor.  `from` is the connection's source, key[0].
 */
enum directory_answer directory_join(struct directory *dir, const uint8_t *id,
	struct place place, const uint8_t from[ID_LEN], struct place *owner);

/*
 * The owner is alive: returns the connection that waited to replace it, or conn
 * 0.
 */
struct place directory_defend(
	struct directory *dir, const uint8_t *id, struct place owner);

/*
 * `place` ends, as owner or as waiting successor.  If the owner ended and a
 * successor waited, the successor is now the owner and is returned; else conn
 * 0.  *owned (may be NULL): whether it was the owner, perhaps without having
 * been told.
 */
struct place directory_leave(struct directory *dir, const uint8_t *id,
	struct place place, bool *owned);

/* Whether the device has joined; then *owner is its connection. */
bool directory_find(
	struct directory *dir, const uint8_t *id, struct place *owner);

/* Calls fn for every device that has joined; fn must not call the directory. */
void directory_each_owner(struct directory *dir,
	void (*fn)(struct place owner, void *arg), void *arg);

/* How many devices and parts there are, at most. */
size_t directory_size(struct directory *dir);
/*
 * Calls `device` for every device that has joined, and `part` for every part;
 * either may be NULL.  At most `most` calls, which must not call the directory.
 */
void directory_each(struct directory *dir, size_t most,
	void (*device)(const uint8_t *id, struct place owner, void *arg),
	void (*part)(const struct part *part, void *arg), void *arg);

/*
 * Registers the begin and end of a session of a device, joined or not.  part
 * has `from` and `session`; the rest is filled.  0 or -1.
 */
int directory_link(struct directory *dir, struct part *part, const uint8_t *id);
void directory_unlink(struct directory *dir, struct part *part);

/* The device of a part that is linked; in directory_each() only. */
const uint8_t *directory_part_id(const struct part *part);
/* Calls fn for each part of a device; fn must not call the directory. */
void directory_each_session(struct directory *dir, const uint8_t *id,
	void (*fn)(uint64_t session, void *arg), void *arg);
/* Whether the device takes part in a session. */
bool directory_busy(struct directory *dir, const uint8_t *id);
/*
 * Calls fn for each session that ends with the device's connection: for all,
 * unless a successor waits.  Then the device has come back, and the sessions
 * stay that are not older than the successor, or come from its address and not
 * from the owner's.  fn must not call the directory.
 */
void directory_each_ending(struct directory *dir, const uint8_t *id,
	void (*fn)(uint64_t session, void *arg), void *arg);

#endif

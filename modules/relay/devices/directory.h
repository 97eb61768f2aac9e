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
#include <stdint.h>

struct device;

/* A connection and its worker. conn 0: none. */
struct place {
	int worker;
	uint64_t conn; /* relay_conn_id() there */
};

/* A device's part in an active session; stored in the session's block. */
struct part {
	struct part *next, *prev; /* of the same device */
	struct device *device;    /* NULL: not linked */
	int worker;
	uint64_t session; /* relay_session_id() there */
};

struct directory {
	pthread_mutex_t lock;
	struct device *devices; /* uthash, by ID */
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
 * its possible successor.
 */
enum directory_answer directory_join(struct directory *dir, const uint8_t *id,
	struct place place, struct place *owner);

/*
 * The owner is alive: returns the connection that waited to replace it, or conn
 * 0.
 */
struct place directory_defend(
	struct directory *dir, const uint8_t *id, struct place owner);

/*
 * `place` ends, as owner or as waiting successor.  If the owner ended and a
 * successor waited, the successor is now the owner and is returned; else conn
 * 0.
 */
struct place directory_leave(
	struct directory *dir, const uint8_t *id, struct place place);

/* Whether the device has joined; then *owner is its connection. */
bool directory_find(
	struct directory *dir, const uint8_t *id, struct place *owner);

/* Calls fn for every device that has joined; fn must not call the directory. */
void directory_each_owner(struct directory *dir,
	void (*fn)(struct place owner, void *arg), void *arg);

/*
 * Registers the begin and end of a session of a device, joined or not.  0 or
 * -1.
 */
int directory_link(struct directory *dir, struct part *part, const uint8_t *id,
	int worker, uint64_t session);
void directory_unlink(struct directory *dir, struct part *part);

/* Whether the device takes part in a session. */
bool directory_busy(struct directory *dir, const uint8_t *id);
/* Calls fn for each of its sessions; fn must not call the directory. */
void directory_each_session(struct directory *dir, const uint8_t *id,
	void (*fn)(int worker, uint64_t session, void *arg), void *arg);

#endif

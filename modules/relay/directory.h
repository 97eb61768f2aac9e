/* SPDX-License-Identifier: MPL-2.0 */

/*
 * directory.h - who has joined, from where, and in which sessions they are.
 *
 * One for all threads; every function takes its lock for a few look-ups.
 */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct device;

/* Where a connection is.  conn 0: nowhere. */
struct place {
	int worker;
	uint64_t conn; /* relay_conn_id() there */
};

/* A device's part in an active session; lies in the session's memory. */
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
	DIRECTORY_JOINED,     /* it is yours */
	DIRECTORY_CHALLENGED, /* somebody has it: find out if he still lives */
	DIRECTORY_TAKEN,      /* and somebody else is asking already */
	DIRECTORY_NO_MEMORY,
};

int directory_init(struct directory *dir);
void directory_finish(struct directory *dir);

/*
 * Check and registration are one step (protocol, "Behaviour").  With
 * DIRECTORY_CHALLENGED *owner is the present one, and `place` is kept as the
 * one to succeed him.
 */
enum directory_answer directory_join(struct directory *dir, const uint8_t *id,
	struct place place, struct place *owner);

/* The owner lives: returns the one who asked for his place, or conn 0. */
struct place directory_defend(
	struct directory *dir, const uint8_t *id, struct place owner);

/*
 * `place` ends, as owner or as the one who waits.  If the owner left and
 * somebody waited, that one owns it now and is returned; else conn 0.
 */
struct place directory_leave(
	struct directory *dir, const uint8_t *id, struct place place);

/* Whether the device has joined; then *owner tells where. */
bool directory_find(
	struct directory *dir, const uint8_t *id, struct place *owner);

/* Calls fn for every device that has joined; fn must not call the directory. */
void directory_each_owner(struct directory *dir,
	void (*fn)(struct place owner, void *arg), void *arg);

/* An active session begins and ends for a device, joined or not.  0 or -1. */
int directory_link(struct directory *dir, struct part *part, const uint8_t *id,
	int worker, uint64_t session);
void directory_unlink(struct directory *dir, struct part *part);

/* Whether the device takes part in a session. */
bool directory_busy(struct directory *dir, const uint8_t *id);
/* Calls fn for each of its sessions; fn must not call the directory. */
void directory_each_session(struct directory *dir, const uint8_t *id,
	void (*fn)(int worker, uint64_t session, void *arg), void *arg);

#endif

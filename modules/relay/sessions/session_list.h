/* SPDX-License-Identifier: MPL-2.0 */

/*
 * session_list.h - every session of the server, also those of other protocols,
 * for the commands that list them.
 *
 * Shared by all threads; every function holds its lock.
 */
#ifndef SESSION_LIST_H
#define SESSION_LIST_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* Stored in the session's block. */
struct session_place {
	struct session_place *next, *prev;
	int worker;       /* where it has begun; it may have moved since */
	uint64_t session; /* relay_session_id() */
};

struct session_list {
	pthread_mutex_t lock;
	struct session_place *first; /* utlist; the sessions own the items */
	size_t count;
};

/* 0 or -1. */
int session_list_init(struct session_list *list);
void session_list_finish(struct session_list *list);
/* `place` has worker and session. */
void session_list_add(struct session_list *list, struct session_place *place);
/* Only a place that was added. */
void session_list_remove(
	struct session_list *list, struct session_place *place);
size_t session_list_count(struct session_list *list);
/* Calls fn for `most` sessions at most; fn must not call the list. */
void session_list_each(struct session_list *list, size_t most,
	void (*fn)(int worker, uint64_t session, void *arg), void *arg);

#endif

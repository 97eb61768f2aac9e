/* SPDX-License-Identifier: MPL-2.0 */

/* drain_list.h - devices that a drain disconnects, one after the other. */
#ifndef DRAIN_LIST_H
#define DRAIN_LIST_H

#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/module.h>

/* Of one worker; zeros: no drain. */
struct drain_list {
	enum relay_drain how;
	int64_t until_ms;  /* when all shall be done */
	uint64_t *devices; /* owned: relay_conn_id() of each */
	size_t count, room;
	size_t next; /* index of the next one */
	size_t kept; /* number before `next` that stay, because they are busy */
	struct relay_timer *timer;
};

/* Adds a connection, by relay_conn_id().  0, or -1 if memory is short. */
int drain_list_add(struct drain_list *list, uint64_t id);
/* Empties the list, and stops its timer. */
void drain_list_clear(struct drain_list *list);

#endif

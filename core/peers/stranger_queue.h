/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Strangers whose handshake waits: sources take turns, however much each sends.
 * See strangers.h; all of this is [W].
 */
#ifndef STRANGER_QUEUE_H
#define STRANGER_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "peers/strangers_state.h"

struct relay_conn;

/* Adds its handshake to that queue; does nothing if it is in one already. */
void stranger_queue_add(struct strangers *all, struct relay_conn *conn,
	enum stranger_queue queue, int64_t now_ms);
bool stranger_queue_has(const struct relay_conn *conn);
/* Takes the next connection out of its queue.  NULL: none waits. */
struct relay_conn *stranger_queue_next(struct strangers *all, int64_t now_ms);
/* Takes it out of its queue, if it is in one. */
void stranger_queue_remove(struct strangers *all, struct stranger *stranger);

#endif

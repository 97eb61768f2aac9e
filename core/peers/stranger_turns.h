/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Strangers whose handshake waits: sources take turns, whatever each sends.
 * See strangers.h; all of this is [W].
 */
#ifndef STRANGER_TURNS_H
#define STRANGER_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "peers/strangers_state.h"

struct relay_conn;

/* Its handshake waits for its turn; a stranger waits in one line at most. */
void strangers_wait(struct strangers *all, struct relay_conn *conn,
	enum stranger_line line, int64_t now_ms);
bool strangers_waits(const struct relay_conn *conn);
/* Whose turn it is, who then waits no more.  NULL: nobody waits. */
struct relay_conn *strangers_next(struct strangers *all, int64_t now_ms);
/* Takes it out of its line, if it is in one. */
void stranger_unwait(struct strangers *all, struct stranger *stranger);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections that move from one worker to another.
 */
#ifndef CONN_MOVE_H
#define CONN_MOVE_H

struct worker;

/*
 * [W]  At the end of every event: hands over the connections for which a module
 * called relay_conn_move().  This worker may not use them afterwards.
 */
void conn_send_off(struct worker *worker);

#endif

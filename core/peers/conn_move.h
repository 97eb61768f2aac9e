/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections that go from one worker to another.
 */
#ifndef CONN_MOVE_H
#define CONN_MOVE_H

struct worker;

/*
 * [W]  At the end of every event: hands over those for which a module called
 * relay_conn_move().  Nothing may use them afterwards.
 */
void conn_send_off(struct worker *worker);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A worker's next turn: work that was cut short so that others get their share.
 */
#ifndef TURN_H
#define TURN_H

#include <stdint.h>

struct relay_conn;
struct relay_session;
struct worker;

int turn_init(struct worker *worker);
void turn_finish(struct worker *worker);

/* Makes a next turn come.  Idempotent. */
void turn_arm(struct worker *worker);
/* Calls conn_run_again() in the next turn.  Idempotent. */
void turn_add_conn(struct relay_conn *conn);
/* Calls session_run() in the next turn, after those added before.  Idempotent.
 */
void turn_add_session(struct relay_session *session);
/* Calls session_run() when the first of its flows' resume_ms has come. */
void turn_pause_session(struct relay_session *session);

#endif

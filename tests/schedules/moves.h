/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Sessions that move to another worker, at random.
 */
#ifndef MOVES_H
#define MOVES_H

#include <stdint.h>

/* Now and then one of that worker's sessions shall move.  Not while the worker
 * runs. */
void moves_turn(unsigned worker);

/* No message is on its way: every session and connection is found from the
 * worker that has given its id, and no id is kept of one that has ended. */
void moves_check_rest(void);

/* So many were asked to, in all schedules. */
extern uint64_t moves_asked;

#endif

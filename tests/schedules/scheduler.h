/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Decides whose turn it is: the real loops of several workers and of the
 * control thread run in one thread, on the simulated kernel of
 * tests/fuzz/connection, in an order that follows from a seed.
 *
 * A loop handles one event in its turn.  Where a worker of a real server might
 * be interrupted to some effect, other loops may run in between: when the
 * module relay is about to take a lock or has released one, and when a message
 * to another loop has been posted.  A loop that was interrupted goes on when
 * those have done their turns.
 */
#ifndef SCHEDULER_H
#define SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

/* After relay_begin(): finds the module's code. */
void scheduler_begin(void);

/* All choices of a schedule follow from its seed. */
void scheduler_seed(uint64_t seed);
/* A number below n. */
unsigned scheduler_below(unsigned n);

/* How many servers take part: the old one alone, or the new one, too. */
void scheduler_servers(unsigned servers);

/* One turn of a loop that is drawn. */
void scheduler_turn(void);
/* Turns until no loop has anything to do at this time.  Whether there was
 * anything. */
bool scheduler_settle(void);

/* So many turns, and interruptions, since the start. */
extern uint64_t scheduler_turns, scheduler_interruptions;

#endif

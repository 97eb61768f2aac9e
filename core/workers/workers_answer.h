/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Whether all workers handle events.  Ask before anything that cannot be
 * cancelled once it has begun, such as the transition of a reload: it would
 * wait for a worker that hangs.  All functions are [C].
 */
#ifndef WORKERS_ANSWER_H
#define WORKERS_ANSWER_H

#include <stdbool.h>

struct workers_ask;

/*
 * Asks all workers for an answer, and returns at once.  `over` is called on
 * this thread's loop: `answer` is false if one of them has not answered within
 * 3 s.  The ask is freed before that call.  NULL without memory.
 */
struct workers_ask *workers_ask(
	void (*over)(bool answer, void *arg), void *arg);
/* `over` is not called any more.  Accepts NULL. */
void workers_ask_free(struct workers_ask *ask);

/*
 * Waits for the answers, for 3 s at most.  For the two places where the control
 * thread can do nothing else meanwhile: amid a transition, whose modules must
 * not see anything else happen, and at the end, when the loop has ended.
 */
bool workers_answer(void);

#endif

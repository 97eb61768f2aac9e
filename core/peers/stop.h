/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The end of a server that serves: nothing new is taken in, and what is on its
 * way to peers is delivered within a grace.
 *
 * Who has nothing on its way is closed at once.  A session passes on what had
 * reached the server by then, closes each direction behind that, and ends; a
 * connection whose last bytes its peer has not taken yet stays until it has.
 */
#ifndef STOP_H
#define STOP_H

#include <stdint.h>

/*
 * [C]  Returns when all workers have nothing left, or after `grace_ms`; what is
 * left then is workers_stop()'s to end.  Blocks: signals must end the process
 * by themselves.
 */
void stop_within(int64_t grace_ms);

#endif

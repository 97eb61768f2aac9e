/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One schedule: devices join, some of them twice at once; others ask for them;
 * sides of sessions come with the keys, some keys twice at once, and send
 * bytes; in half of the schedules some leave at any time.  In a third, the
 * sides come to the new server of an upgrade, which hands them back, and in
 * some of these the old one begins to drain.  All the while loops take turns,
 * and interrupt each other.
 *
 * When all is at rest these must hold:
 *
 * - A session key has been accepted once at most.
 * - At most one open connection of a device is registered, and as many devices
 *   are registered as the server says.
 * - Each connection that was accepted is open, or has ended once.
 * - Of a connection that moves to another worker, the old one handles no event
 *   any more when the new one takes it.
 * - A process has closed its copy of a connection that it has handed back.
 * - Each message between loops was handled once.
 * - Who has sent a message that is answered has got the answer.
 * - If nobody has left, each request that was granted has brought one
 *   invitation to either side, both sides have been accepted, and each has got
 *   every byte of the other.
 *
 * When all have left, and time has passed, nothing is registered, pending or
 * open.
 */
#ifndef SCENE_H
#define SCENE_H

#include <stdint.h>

void scene_play(uint64_t seed);

/* So many sessions came about, in all schedules. */
extern uint64_t scene_sessions;

#endif

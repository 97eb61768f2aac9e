/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Moves a session to another worker: both connections, the bytes on their way,
 * and the modules' blocks.
 *
 * Between two of its turns the session is taken off all that its worker keeps,
 * and a message with a pointer to it goes to the other one, which owns it from
 * then on.  Nothing is read or written meanwhile, so no byte is lost or comes
 * out of order; what arrives waits in the sockets, and the other worker's first
 * turn finds it.
 */
#ifndef SESSION_MOVE_H
#define SESSION_MOVE_H

struct worker;

/* [W]  When an event is over: sends off what sessions_run() has put on the list
 * `departing`, since relay_session_move() was called for it. */
void sessions_send_off(struct worker *worker);

/*
 * [C]  From now on no session moves, and none is on its way: so what runs on
 * each worker, one after the other, meets every session once.  Waits for the
 * workers.
 */
void session_moves_hold(void);
void session_moves_release(void);

#endif

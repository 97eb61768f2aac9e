/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Sessions that wait: for the next iteration of the loop, so that others get
 * their share, or until a module grants bytes again.  All of this is [W].
 */
#ifndef SESSION_QUEUE_H
#define SESSION_QUEUE_H

struct relay_session;
struct worker;

/* sessions_run() moves its bytes in the next iteration, after those of sessions
 * that were added before.  Does nothing if it was added already. */
void session_queue_add(struct relay_session *session);
/* The same, but at the time of the earlier resume_ms of its flows. */
void session_queue_pause(struct relay_session *session);
/* It waits for no grant any more.  Not while sessions_resume() runs. */
void session_queue_leave(struct relay_session *session);
/* Adds the paused sessions whose time has come; called by their timer. */
void sessions_resume(struct worker *worker);
/* Frees a session that has ended and is on no list. */
void session_free(struct relay_session *session);

/* 0, or -1 without memory.  peers->pause_timer is the caller's to free. */
int session_queue_init(struct worker *worker);

#endif

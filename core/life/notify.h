/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Tells the service manager what the server does, as sd_notify(3) has it:
 * datagrams to the socket that NOTIFY_SOCKET names.
 *
 * Written here rather than linked: the protocol is stable and a page long,
 * libsystemd brings four libraries along.  Without that variable all of this
 * does nothing.  What cannot be sent is logged once and then left out; serving
 * does not depend on it.  All is [C].
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>
#include <sys/types.h>

#include <strelaysrv/err.h>

struct event_base;

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.  The first two stay, for
 * a process that takes over; the last, which names this one, is removed.  0, or
 * -1 with err: a variable makes no sense.
 */
int notify_init(struct relay_err *err);
void notify_finish(void);

/*
 * The server accepts connections: READY=1 and who the main process is.  From
 * here on STATUS= follows the numbers, and WATCHDOG=1 says, often enough, that
 * every loop turns.  0, or -1 without memory.
 */
int notify_ready(struct event_base *base);
/* Around a reload, also one that fails. */
void notify_reloading(void);
void notify_reloaded(void);
/* The end begins; "draining" or "stopping" is what STATUS= says. */
void notify_stopping(const char *status);
/* Another line for STATUS= until NULL gives it back to the numbers; borrowed.
 */
void notify_status(const char *status);
/*
 * Which process is the main one from now on.  While it is another, all of the
 * rest here does nothing: that one speaks for the service.  0 or -1.
 */
int notify_main_pid(pid_t pid);

/* Pure parts. */

/* Half of the interval, after which a loop that has not turned counts as stuck.
 * 0: nobody watches.  The variables may be NULL. */
int64_t notify_patience_ms(
	const char *watchdog_usec, const char *watchdog_pid, pid_t self);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Tells the service manager the server's state, by the protocol of
 * sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names.  Without that
 * variable nothing here does anything.
 *
 * It is not done by libsystemd: the protocol is stable and short, and
 * libsystemd brings four more libraries.  Only the first failure to send is
 * logged; the server goes on.  All is [C].
 */
#ifndef SYSTEMD_NOTIFY_H
#define SYSTEMD_NOTIFY_H

#include <stdint.h>
#include <sys/types.h>

#include <strelaysrv/err.h>

struct event_base;

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.  The first two stay in
 * the environment for the new process of an upgrade; the last names this
 * process, and is removed.  0, or -1 with err: a variable is invalid.
 */
int systemd_notify_init(struct relay_err *err);
void systemd_notify_finish(void);

/*
 * The server accepts connections: sends READY=1 and MAINPID=.  From now on
 * STATUS= tells the numbers of devices and sessions, and WATCHDOG=1 is sent
 * while no loop is stuck.  0, or -1 without memory.
 */
int systemd_notify_ready(struct event_base *base);
/* To be called before and after each reload, also one that fails. */
void systemd_notify_reloading(void);
void systemd_notify_reloaded(void);
/* [*] Sets STATUS= to `text`, which says what hangs; NULL: a hang has ended. */
void systemd_notify_hanging(const char *text);
/* The server begins to stop; `status` is the text of STATUS=. */
void systemd_notify_stopping(const char *status);
/* Sets the text of STATUS=, borrowed.  NULL: from now on it tells the numbers
 * of devices and sessions again. */
void systemd_notify_status(const char *status);
/*
 * Names the main process.  While that is another one, every other function here
 * does nothing, since the other process reports the state.  0 or -1.
 */
int systemd_notify_main_pid(pid_t pid);

/* Pure parts. */

/* After how long a loop counts as stuck: half of the watchdog's interval; 0:
 * there is no watchdog.  The variables may be NULL. */
int64_t systemd_notify_stuck_limit_ms(
	const char *watchdog_usec, const char *watchdog_pid, pid_t self);

#endif

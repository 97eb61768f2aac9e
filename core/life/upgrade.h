/* SPDX-License-Identifier: MPL-2.0 */

/*
 * An upgrade, in the old process: it starts the program again, gives it the
 * listening sockets, and drains once the new process serves.
 *
 * If the new process fails before it serves, or within a probation after that,
 * this one goes on serving.  takeover.h is the other side, handover.h has their
 * messages.  All is [C].
 */
#ifndef UPGRADE_H
#define UPGRADE_H

#include <stdbool.h>

#include <event2/event.h>

/* Borrows argv.  0, or -1 without memory. */
int upgrade_init(struct event_base *base, char *const argv[]);
/* The server is told to end: ends a new process that does not serve yet.  Safe
 * in a signal handler. */
void upgrade_stop(void);
/*
 * Ctrl-C in a terminal sends SIGINT to the process group in its foreground.  A
 * new process is in another group until the upgrade is final, see takeover.c:
 * so this passes SIGINT on to it.  Safe in a signal handler.
 */
void upgrade_interrupt(void);
void upgrade_finish(void);

/* What SIGUSR2 does.  Every result is logged. */
void upgrade_begin(void);
/*
 * What SIGHUP does during an upgrade: the process that serves reloads.  Returns
 * false where there is no upgrade: the caller reloads this process.
 */
bool upgrade_reload(void);
/* What SIGUSR1 does during an upgrade: cancels it if it can.  Returns false
 * when the new process has taken over: then this one drains already. */
bool upgrade_drain(void);
/* The drain is over: ends the server once no connection is being handed
 * back to it. */
void upgrade_end(void);
/* Whether this process may still have to serve again. */
bool upgrade_is_on_probation(void);

#endif

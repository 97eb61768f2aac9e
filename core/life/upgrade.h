/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Upgrade, the old process's side: starts the program anew with the listening
 * sockets, lets it take over, and drains.
 *
 * Until the new process serves, and for a probation after that, every failure
 * of it leaves this one as it was.  The new one's side is takeover.h, what they
 * say is handover.h.  All is [C].
 */
#ifndef UPGRADE_H
#define UPGRADE_H

#include <stdbool.h>

#include <event2/event.h>

/* Borrows argv.  0, or -1 without memory. */
int upgrade_init(struct event_base *base, char *const argv[]);
/* The server is told to end: so is a process that does not serve yet. */
void upgrade_stop(void);
void upgrade_finish(void);

/* What SIGUSR2 does.  Every result is logged. */
void upgrade_begin(void);
/*
 * What SIGHUP does when another process is concerned, or will soon be.  False:
 * nobody is, reload this one.
 */
bool upgrade_reload(void);
/* SIGUSR1 calls an upgrade off that has not come far.  Whether a drain makes
 * sense: false when another process has taken over already. */
bool upgrade_drain(void);
/*
 * The drain is over: the server ends once no connection is on its way to it.
 */
void upgrade_end(void);
/* Whether the new process may still fail and this one have to go on. */
bool upgrade_is_on_probation(void);

#endif

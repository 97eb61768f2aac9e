/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Signals, on the control loop.
 *
 * SIGINT and SIGTERM stop the server, the second one at once; SIGHUP reloads,
 * SIGUSR1 drains, SIGUSR2 upgrades.  All is [C].
 */
#ifndef SIGNALS_H
#define SIGNALS_H

struct event_base;

/* A signal that comes before the loop runs is handled then.  0, or -1 logged.
 */
int signals_init(struct event_base *base);
/* From now on each signal does what it does by default: for actions that run no
 * loop, such as -check. */
void signals_default(void);
/* From now on SIGINT and SIGTERM end the process at once. */
void signals_exit_at_once(void);
void signals_finish(void);

#endif

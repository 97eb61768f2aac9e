/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Signals, on the control loop.
 *
 * SIGINT and SIGTERM stop the server, SIGHUP reloads, SIGUSR1 drains, SIGUSR2
 * upgrades.  All is [C].
 */
#ifndef SIGNALS_H
#define SIGNALS_H

struct event_base;

/* One that comes before the loop runs waits for it.  0, or -1 logged. */
int signals_init(struct event_base *base);
/* From here on SIGINT and SIGTERM end the process without another step. */
void signals_exit_at_once(void);
void signals_finish(void);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Upgrade, the new process's side: takes over from the one that started it.
 *
 * See upgrade.h for the other side, and handover.h for what they say.
 */
#ifndef TAKEOVER_H
#define TAKEOVER_H

#include <stdint.h>

#include <event2/event.h>

#include <strelaysrv/err.h>

/* [C]  Looks whether there is a process to take over from.  0, or -1 with err.
 */
int takeover_init(struct relay_err *err);
/* [C]  All is set up: waits until the old one has ended to accept, or is gone.
 * 0, or -1 with err after wait_ms. */
int takeover_await(int64_t wait_ms, struct relay_err *err);
/* [C]  This one accepts.  0, or -1 with err. */
int takeover_serving(struct event_base *base, struct relay_err *err);
/* [C]  This one will not fail any more: it starts another itself. */
void takeover_keep(void);
/* [C]  After the workers' end. */
void takeover_finish(void);

#endif

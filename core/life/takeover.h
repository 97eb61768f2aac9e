/* SPDX-License-Identifier: MPL-2.0 */

/*
 * An upgrade, in the new process: it takes over from the process that started
 * it.  upgrade.h is the other side, handover.h has their messages.
 */
#ifndef TAKEOVER_H
#define TAKEOVER_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include <strelaysrv/err.h>

/* [C]  Finds out whether there is an old process.  0, or -1 with err. */
int takeover_init(struct relay_err *err);
/* Whether this is the new process of an upgrade. */
bool takeover_is(void);
/*
 * Whether an upgrade may go on with that ID, which `keys` has; NULL: there are
 * no keys.  A relay keeps its ID, `before`; "": it is unknown.  0, or -1 with
 * err.
 */
int takeover_compare_ids(const uint8_t *id, const char *before,
	const char *keys, struct relay_err *err);
/* The same in the new process, where `before` is the ID of the old one. */
int takeover_check_id(
	const uint8_t *id, const char *keys, struct relay_err *err);
/* [C]  Waits until the old process no longer accepts, or has ended.  0, or -1
 * with err after wait_ms. */
int takeover_await(int64_t wait_ms, struct relay_err *err);
/* [C]  This process accepts; the old one is told.  0, or -1 with err. */
int takeover_serving(struct event_base *base, struct relay_err *err);
/* [C] Call it when this process is upgraded itself: tells its old process that
 * it need not stay ready to serve again. */
void takeover_keep(void);
/* [C]  After the workers' end. */
void takeover_finish(void);

#endif

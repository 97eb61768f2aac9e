/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A reload: what SIGHUP does.
 *
 * Files are read on other threads, because a mount may not answer and a list
 * may be long.  Meanwhile the control loop runs, under the old configuration.
 * The transition itself happens within one event of the control loop.  All
 * functions are [C].
 */
#ifndef RELOADING_H
#define RELOADING_H

#include <stdbool.h>

/* `tell` is called when a reload begins and when it has ended. */
void reloading_init(void (*tell)(bool is_on));
/* Begins a reload.  Every result is logged.  Not while one is under way. */
void reloading_begin(void);
bool reloading_is_on(void);
/* Whether the last one has succeeded. */
bool reloading_succeeded(void);
/* Cancels a reload that is under way, without logging it.  Before host_stop().
 */
void reloading_stop(void);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Modules' timers, each on the list of one module's context on one thread.
 */
#ifndef TIMER_H
#define TIMER_H

#include <strelaysrv/timer.h>

struct module_ctx;

/* Removes all of a module's timers on the calling thread. */
/* Those that were added in reload_prepare: they stay, or are removed.  [C] */
void timer_keep_prepared(struct module_ctx *ctx);
void timer_drop_prepared(struct module_ctx *ctx);
void timer_withdraw(struct module_ctx *ctx);

#endif

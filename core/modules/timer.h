/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Modules' timers.  Each module context, one per thread, has a list of its own.
 */
#ifndef TIMER_H
#define TIMER_H

#include <strelaysrv/timer.h>

struct module_ctx;

/* These keep or remove the timers that were added in reload_prepare.  [C] */
void timer_keep_prepared(struct module_ctx *ctx);
void timer_drop_prepared(struct module_ctx *ctx);
/* Removes all timers of a module on the calling thread. */
void timer_withdraw(struct module_ctx *ctx);

#endif

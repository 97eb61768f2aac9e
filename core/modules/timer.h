/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Modules' timers, each on the list of one module's context on one thread.
 */
#ifndef TIMER_H
#define TIMER_H

#include <strelaysrv/timer.h>

struct module_ctx;

/* Removes all of a module's timers on the calling thread. */
void timer_withdraw(struct module_ctx *ctx);

#endif

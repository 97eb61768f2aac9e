/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Notes which module runs on a thread, and measures how long each call into it
 * takes.
 */
#ifndef MODULE_CALL_H
#define MODULE_CALL_H

#include <stdint.h>

struct relay_ctx;
struct relay_module;

struct module_call {
	const struct relay_ctx *cx, *before; /* borrowed */
	int64_t began_ms;
};

void module_call_begin(struct module_call *call, const struct relay_ctx *cx);
/*
 * On the control thread, a call that took more than 100 ms is logged with the
 * module's name; `what` names the kind of call, as in "a timer".  Returns the
 * duration of such a slow call in ms, else 0.
 */
int64_t module_call_end(const struct module_call *call, const char *what);
/* Makes such a call of a callback that returns nothing.  Control thread.  Does
 * nothing if fn is NULL. */
void module_call_run(struct relay_module *mod, void (*fn)(struct relay_ctx *),
	const char *what);

#endif

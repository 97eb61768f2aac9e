/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the objects of a worker have to do with modules that come, leave, or
 * have a new configuration; all of this is [W].
 */
#ifndef HOOKS_CHANGE_H
#define HOOKS_CHANGE_H

#include <stddef.h>

struct hook_set;
struct relay_module;
struct worker;

/* Calls the module's conn_reload and session_reload hooks for each object. */
void hooks_change_tell(struct worker *worker, struct relay_module *mod);

/*
 * Tells the leaving modules that each of their live objects is gone to them
 * (RELAY_END_WITHDRAWN), in reverse order, then takes `next`.  Returns the old
 * set, for the caller to free at once.
 */
struct hook_set *hooks_change(struct worker *worker, struct hook_set *next,
	struct relay_module *const *leaving, size_t n);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Adds, removes and reloads modules on a worker, for its connections and
 * sessions.  All of this is [W].
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
 * Activates `next`, then calls the close hooks of the removed modules, the last
 * one first, for each object (RELAY_END_WITHDRAWN).  Returns the old set, which
 * the caller frees at once.
 */
struct hook_set *hooks_change(struct worker *worker, struct hook_set *next,
	struct relay_module *const *removed, size_t n);

#endif

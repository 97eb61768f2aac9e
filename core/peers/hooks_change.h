/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Adds and removes modules on a worker, and reloads them: what its connections
 * and sessions need then.  All of this is [W].
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
 * Puts `next` in force, then tells the leaving modules, the last one first, of
 * the end of each of their objects (RELAY_END_WITHDRAWN).  Returns the old set,
 * for the caller to free at once.
 */
struct hook_set *hooks_change(struct worker *worker, struct hook_set *next,
	struct relay_module *const *leaving, size_t n);

#endif

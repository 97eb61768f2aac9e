/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The part of a reload that concerns modules that keep running: all prepare,
 * then all commit or all abandon; see relay_reload_prepare_fn in
 * strelaysrv/hooks.h.
 *
 * All is [C], within one event of the control thread, so that no timer, message
 * or signal is handled in between.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include <strelaysrv/err.h>

#include "modules/stage.h"

/*
 * Calls reload_prepare of all, in order.  0, or -1 if one fails: then those
 * before it have abandoned the reload, *culprit is the module that failed, and
 * err says why.
 */
int reload_prepare(const struct module_list *list, const struct config *config,
	struct relay_module **culprit, struct relay_err *err);
/* Calls reload_abandon of all, in reverse order. */
void reload_abandon(const struct module_list *list);
/* Calls reload_commit of all, in order, once every thread sees the new options.
 */
void reload_commit(const struct module_list *list);
/* Calls `reload` of all, in order, once all have committed. */
void reload_tell(const struct module_list *list);

#endif

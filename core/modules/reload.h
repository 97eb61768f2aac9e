/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A reload as the modules that stay take part in it: all prepare, then all
 * commit or all abandon: see relay_reload_prepare_fn in strelaysrv/hooks.h.
 *
 * All is [C], within one event of the control thread: no timer, message or
 * signal comes between.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include <strelaysrv/err.h>

#include "modules/stage.h"

/*
 * Calls reload_prepare of all, in order.  On failure those that had prepared
 * have abandoned it, *culprit is the one that failed, and err says why.
 */
int reload_prepare(const struct module_list *list, const struct config *config,
	struct relay_module **culprit, struct relay_err *err);
/* In reverse order. */
void reload_abandon(const struct module_list *list);
/* In order, once every thread sees the new options. */
void reload_commit(const struct module_list *list);
/* Calls `reload` of all that have it, once all have committed. */
void reload_tell(const struct module_list *list);

#endif

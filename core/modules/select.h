/* SPDX-License-Identifier: MPL-2.0 */

/*
 * From the names in `modules` to modules, in that order.
 */
#ifndef SELECT_H
#define SELECT_H

#include "modules/stage.h"

struct catalog;
struct config;

/*
 * Modules that cannot be had are left out with a warning if their section says
 * required = no.  0, or -1 with every fault logged.
 */
int select_modules(const struct catalog *catalog, const struct config *config,
	struct module_list *out);

#endif

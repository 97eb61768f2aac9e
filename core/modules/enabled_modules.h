/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Finds the modules that the option `modules` names, in that order.
 */
#ifndef ENABLED_MODULES_H
#define ENABLED_MODULES_H

#include "modules/stage.h"

struct catalog;
struct config;

/*
 * A module that is missing or broken is left out with a warning if its section
 * has required = no.  0, or -1 when one that is required is missing; each fault
 * is logged.
 */
int enabled_modules_find(const struct catalog *catalog,
	const struct config *config, struct module_list *out);

#endif

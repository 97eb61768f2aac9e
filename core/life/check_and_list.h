/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What -check and -modules print.
 */
#ifndef CHECK_AND_LIST_H
#define CHECK_AND_LIST_H

#include "config/config.h"

struct catalog;

/*
 * CONFIG_CHECK prints the effective configuration, CONFIG_MODULES the modules
 * and their options, both also for a configuration with faults, as far as
 * possible.  `program`: the server's file, as it was started.  CONFIG_CHECK
 * changes to the configured user for good before it asks the modules.  0, or
 * -1: there are faults, which were logged.
 */
int report(struct catalog *catalog, enum config_action action,
	const char *program);

#endif

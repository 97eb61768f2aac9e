/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The environment variables by which an old process tells the new one what it
 * hands over, see inherited.h and handover.h.
 */
#ifndef UPGRADE_VARIABLES_H
#define UPGRADE_VARIABLES_H

#include <stdbool.h>

/* Whether the text, "NAME=VALUE", is one of them. */
bool upgrade_variables_has(const char *text);
/* Removes them from this process's environment. */
void upgrade_variables_clear(void);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "life/handover.h"
#include "life/upgrade_variables.h"
#include "net/inherited.h"

static const char *const variables[] = {
	INHERITED_SOCKETS, HANDOVER_CHANNEL, HANDOVER_ID};

#define VARIABLES (sizeof(variables) / sizeof(variables[0]))

bool upgrade_variables_has(const char *text)
{
	for (size_t i = 0; i < VARIABLES; i++) {
		size_t len = strlen(variables[i]);

		if (strncmp(text, variables[i], len) == 0 && text[len] == '=')
			return true;
	}
	return false;
}

void upgrade_variables_clear(void)
{
	for (size_t i = 0; i < VARIABLES; i++)
		(void)unsetenv(variables[i]);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* The room's state. */

#include <stdlib.h>

#include "base/instance.h"
#include "host/host_state.h"

int host_create(void)
{
	instance->host = calloc(1, sizeof(*instance->host));
	return instance->host ? 0 : -1;
}

void host_destroy(void)
{
	free(instance->host);
	instance->host = NULL;
}

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
	struct host_state *host = instance->host;

	for (size_t i = 0; host && i < host->sandbox.folder_count; i++)
		free(host->sandbox.folders[i]);
	free(host);
	instance->host = NULL;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* The room's state that belongs to no worker. */

#include <stdlib.h>

#include "peers/peers_shared.h"

int peers_shared_create(void)
{
	instance->peers = calloc(1, sizeof(*instance->peers));
	return instance->peers ? 0 : -1;
}

void peers_shared_destroy(void)
{
	if (instance->peers) {
		free(instance->peers->metrics);
		free(instance->peers->listener_metrics);
	}
	free(instance->peers);
	instance->peers = NULL;
}

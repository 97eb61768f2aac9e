/* SPDX-License-Identifier: MPL-2.0 */

/* The room's state. */

#include <stdlib.h>

#include "base/instance.h"
#include "net/net_state.h"

int net_create(void)
{
	struct net_state *net = calloc(1, sizeof(*net));

	if (!net)
		return -1;
	/* Until kernel_memory_bound() is called, there is no bound. */
	net->memory.bound = INT64_MAX;
	instance->net = net;
	return 0;
}

void net_destroy(void)
{
	if (instance->net)
		free(instance->net->metrics);
	free(instance->net);
	instance->net = NULL;
}

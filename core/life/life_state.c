/* SPDX-License-Identifier: MPL-2.0 */

/* The room's state. */

#include <stdlib.h>

#include "base/instance.h"
#include "life/life_state.h"

int life_create(void)
{
	struct life_state *life = calloc(1, sizeof(*life));

	if (!life)
		return -1;
	life->notify.fd = -1;
	life->notify.devices = -1;
	life->takeover.channel = -1;
	life->takeover.hand_back_channel = -1;
	life->upgrade.channel = -1;
	life->upgrade.pass_on_fd = -1;
	life->upgrade.pass_on_to = -1;
	instance->life = life;
	return 0;
}

void life_destroy(void)
{
	free(instance->life);
	instance->life = NULL;
}

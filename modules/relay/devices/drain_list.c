/* SPDX-License-Identifier: MPL-2.0 */

#include <stdlib.h>

#include "relay/devices/drain_list.h"

void drain_list_clear(struct drain_list *list)
{
	relay_timer_del(list->timer);
	free(list->devices);
	*list = (struct drain_list){.how = RELAY_DRAIN_NONE};
}

int drain_list_add(struct drain_list *list, uint64_t id)
{
	size_t room = list->room ? list->room * 2 : 64;
	uint64_t *devices;

	if (list->count == list->room) {
		devices = reallocarray(list->devices, room, sizeof(*devices));
		if (!devices)
			return -1;
		list->devices = devices;
		list->room = room;
	}
	list->devices[list->count++] = id;
	return 0;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* What the room has beside the workers' own. */

#include "peers/peers_room.h"

struct peers_room *peers_room(void)
{
	static struct peers_room room;

	return &room;
}

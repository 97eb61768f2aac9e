/* SPDX-License-Identifier: MPL-2.0 */

#include <event2/event.h>

#include "loop/event_later.h"

void event_later(struct event *event, const struct timeval *in)
{
	if (event_add(event, in) != 0)
		event_active(event, EV_TIMEOUT, 0);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* session_data.h - what is kept of each session, of any protocol. */
#ifndef SESSION_DATA_H
#define SESSION_DATA_H

#include <stdint.h>

#include "relay/devices/directory.h"
#include "relay/sessions/session_list.h"

struct session_data {
	struct session_place place; /* session 0: not in the list */
	struct part part[2];        /* linked if it is the relay's */
	int64_t began_ms;
	/* When a command last looked at it, and what it saw. */
	int64_t seen_ms, seen_bytes, seen_rate;
	uint64_t serial; /* see queues.h; 0: not begun */
};

#endif

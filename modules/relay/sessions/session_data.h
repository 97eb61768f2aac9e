/* SPDX-License-Identifier: MPL-2.0 */

/* session_data.h - what is kept of each session. */
#ifndef SESSION_DATA_H
#define SESSION_DATA_H

#include <stdint.h>

#include "relay/devices/directory.h"

struct session_data {
	struct part part[2];
	int64_t began_ms;
	/* When a command last looked at it, and what it saw. */
	int64_t seen_ms, seen_bytes, seen_rate;
	uint64_t serial; /* see queues.h; 0: not begun */
};

#endif

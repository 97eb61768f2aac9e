/* SPDX-License-Identifier: MPL-2.0 */

/*
 * During an upgrade the old process tells the new one how many bytes its
 * sessions pass on, so that the new one's counters and quotas include them.
 * All is [C].
 */
#ifndef UPGRADE_TRAFFIC_H
#define UPGRADE_TRAFFIC_H

/* Begins to count. */
void upgrade_traffic_begin(void);
/* Sends what was passed on since the last call; nothing if channel is -1. */
void upgrade_traffic_tell(int channel);

#endif

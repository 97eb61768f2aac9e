/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the old process of an upgrade tells the new one of the bytes that its
 * sessions pass on: so the new one's counters and quotas hold all there was.
 * All is [C].
 */
#ifndef UPGRADE_TRAFFIC_H
#define UPGRADE_TRAFFIC_H

/* From here on. */
void upgrade_traffic_begin(void);
/* What came since the last call.  channel -1: to nobody. */
void upgrade_traffic_tell(int channel);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Room for newcomers: when all descriptors for peers are in use, a stranger
 * (see strangers.h) is evicted.
 */
#ifndef STRANGER_EVICTION_H
#define STRANGER_EVICTION_H

#include <stdbool.h>

struct worker;

/*
 * Own thread.  Counts a new connection, as capacity_enter() does.  False: there
 * is no room, and no stranger to evict.
 */
bool capacity_enter_or_evict(struct worker *worker);
/* Own thread.  Evicts one stranger of this worker; false: it has none. */
bool stranger_evict(struct worker *worker);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Room for newcomers: when all descriptors for peers are taken, a stranger (see
 * strangers.h) gives up its place.
 */
#ifndef ADMISSION_H
#define ADMISSION_H

#include <stdbool.h>

struct worker;

/*
 * Own thread.  Counts a connection that comes, as capacity_enter() does. False:
 * there is no room, and no stranger to make any.
 */
bool admission_enter(struct worker *worker);
/* Own thread.  Closes one stranger of this worker; false: there is none. */
bool admission_evict(struct worker *worker);

#endif

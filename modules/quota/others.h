/* SPDX-License-Identifier: MPL-2.0 */

/*
 * others.h - what the other nodes of a cluster have used, with the option
 * shared: each node tells its own sum of each period, and adds up those of the
 * others.  [C]
 *
 * A sum is told under a number that the state file keeps, so that it goes on
 * after a restart.  The highest one counts.
 */
#ifndef OTHERS_H
#define OTHERS_H

#include <strelaysrv/module.h>

/* After the traffic was counted.  True if the file should be written at once.
 */
bool others_count(struct relay_ctx *cx);

#endif

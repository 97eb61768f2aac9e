/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Capacity: descriptors, and how many connections may be open.
 */
#ifndef CAPACITY_H
#define CAPACITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * [C]  Raises the soft descriptor limit to the hard one and sets the bounds.
 * `max_connections` 0: 80 % of the descriptors.  `own`: how many the workers
 * need for themselves.  Logs the bound in force.
 */
void capacity_init(int64_t max_connections, int64_t own);
/* [C]  Other bounds; who is over them already stays.  Logs a new one. */
void capacity_bound(int64_t max_connections, int64_t own);

/*
 * A connection comes: true when there is a descriptor to spare beside the
 * reserve for the server's own files; else it was not counted.  [*]
 */
bool capacity_enter(void);
void capacity_leave(void);
/*
 * The same above the bound, for one whose place is being made; at most so many
 * that the reserve keeps the greater part.  [*]
 */
bool capacity_borrow(void);
/* Whether there are more than the bound allows: something is on loan.  [*] */
bool capacity_overdrawn(void);

/* One of those that are open was found to be worth its place, or such a one
 * ends.  [*] */
void capacity_settle(void);
void capacity_unsettle(void);

/* Above how many connections newcomers are refused.  [*] */
int64_t capacity_limit(void);
/* How many connections both HTTP addresses may have, 2 or more.  [C] */
size_t capacity_http(void);
/* How many pipes all workers together may have. */
unsigned capacity_pipes(void);

#endif

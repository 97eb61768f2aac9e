/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Capacity: descriptors, and how many connections may be open.
 */
#ifndef CAPACITY_H
#define CAPACITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cgroup_limit;

/*
 * [C]  Raises the soft descriptor limit to the hard one and sets the bounds.
 * `max_connections` 0: 80 % of the descriptors, or fewer if `memory`, which the
 * control group allows, leaves room for fewer; only then it is read.  `own`:
 * how many the workers need for themselves.  Logs the bound on connections.
 */
void capacity_init(int64_t max_connections, int64_t own,
	const struct cgroup_limit *memory);
/* [C]  Changes the bounds.  Connections above a new bound stay open.  Logs the
 * bound on connections if it has changed. */
void capacity_bound(int64_t max_connections, int64_t own,
	const struct cgroup_limit *memory);

/*
 * Counts a new connection.  False: no descriptor is free except the reserve for
 * the server's own files, and the connection is not counted.  [*]
 */
bool capacity_enter(void);
void capacity_leave(void);
/*
 * The same for a connection that uses the reserve until another one has been
 * evicted for it.  Uses at most a quarter of the reserve.  [*]
 */
bool capacity_borrow(void);
/* Whether the bound is reached, or exceeded by capacity_borrow().  [*] */
bool capacity_overdrawn(void);

/* A connection has settled, see relay_conn_settled(); a settled connection has
 * ended.  [*] */
void capacity_settle(void);
void capacity_unsettle(void);

/* Above how many settled connections modules refuse newcomers.  [*] */
int64_t capacity_limit(void);
/* How many connections both HTTP addresses may have, 2 or more.  [C] */
size_t capacity_http(void);
/* How many pipes all workers together may have. */
unsigned capacity_pipes(void);

#endif

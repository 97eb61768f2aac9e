/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Events of connections; all of this is [W].
 */
#ifndef CONN_EVENT_H
#define CONN_EVENT_H

#include <stdbool.h>

struct relay_conn;
struct worker;

/* Watches its socket on its worker's loop.  0 or -1. */
int conn_watch(struct relay_conn *conn);
/* Looks at its first byte, which shows whether it is TLS. */
void conn_first_byte(struct relay_conn *conn);
/* Deferred work: reads again from the connections that conn_reread_add() has
 * added. */
bool conns_reread(struct worker *worker);

#endif

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
/* Looks at its first byte: is it TLS or not? */
void conn_first_byte(struct relay_conn *conn);
/* Deferred work: reads those again that conn_again_add() was called for. */
bool conns_run_again(struct worker *worker);

#endif

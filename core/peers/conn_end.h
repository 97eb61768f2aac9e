/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How a connection ends; all of this is [W].
 */
#ifndef CONN_END_H
#define CONN_END_H

#include <strelaysrv/hooks.h>

struct relay_conn;

/* The same as relay_conn_close(), for a connection of any phase. */
void conn_end(struct relay_conn *conn, enum relay_reason reason);
/* Ends it without waiting for anything: its descriptor is free at once. */
void conn_evict(struct relay_conn *conn);

#endif

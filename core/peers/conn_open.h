/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Finds the module that serves a connection; all of this is [W].
 */
#ifndef CONN_OPEN_H
#define CONN_OPEN_H

#include <strelaysrv/hooks.h>

struct relay_conn;

/* Asks the modules, and ends the connection if none takes it. */
void conn_open(struct relay_conn *conn);
/* Counts and logs that it was refused. */
void conn_refused(struct relay_conn *conn, const struct relay_denial *why);

#endif

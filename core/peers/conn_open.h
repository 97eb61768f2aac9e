/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The question which module speaks for a connection; all of this is [W].
 */
#ifndef CONN_OPEN_H
#define CONN_OPEN_H

#include <strelaysrv/hooks.h>

struct relay_conn;

/* Asks the modules.  Ends it if none takes it. */
void conn_open(struct relay_conn *conn);
/* Counts and logs that a module refused it. */
void conn_refused(struct relay_conn *conn, const struct relay_denial *why);

#endif

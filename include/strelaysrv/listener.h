/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Listeners: the addresses that the server listens on.  Each may have a name
 * and options of its own, see the section `listener "NAME"` of the
 * configuration. Since API 1.8.
 *
 * The option `protocol` names the module that serves the connections of a
 * listener.  Of the modules that take connections, which have the hook
 * conn_readable, only that one is then called by conn_open; filters are called
 * as for others.
 */
#ifndef RELAY_LISTENER_H
#define RELAY_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct relay_conn;
struct relay_ctx;

/*
 * The name of the listener at which the connection came in, as it was then; ""
 * if it had none.  If another process has accepted the connection, as before an
 * upgrade: the name and options that the listener of that address has here; ""
 * and no options if there is none.  [W] Valid as long as the connection.
 */
const char *relay_conn_listener(const struct relay_conn *conn);
/*
 * The option `protocol` of that listener; "" if it has none.  A module that
 * shares listeners with others takes the connections without one by what
 * relay_conn_peek() shows.  [W] Valid as long as the connection.
 */
const char *relay_conn_protocol(const struct relay_conn *conn);
/*
 * Whether that listener has the option `private`: then the protocol serves only
 * peers that prove with a secret that they may use the server.  [W]
 */
bool relay_conn_private(const struct relay_conn *conn);
/*
 * As relay_at_limit() and relay_over_limit(), but also true if max-connections
 * of its listener is reached, or exceeded, by settled connections that came in
 * there.  [W]
 */
bool relay_conn_at_limit(const struct relay_conn *conn);
bool relay_conn_over_limit(const struct relay_conn *conn);

/* One listener, as configured. */
struct relay_listener {
	const char *name;    /* "": none */
	const char *address; /* HOST:PORT; the port may be 0 */
	bool is_private;
	bool for_proxies;
	const char *protocol;    /* a module; "": any */
	int64_t max_connections; /* 0: only the server's own limit counts */
};
typedef void relay_listeners_visit_fn(
	const struct relay_listener *info, void *arg);
/*
 * Calls `visit` for each listener, first for the words of the option listen.
 * [C]  During a reload or a check: of the new configuration.
 */
void relay_listeners_visit(
	struct relay_ctx *cx, relay_listeners_visit_fn *visit, void *arg);

#ifdef __cplusplus
}
#endif

#endif

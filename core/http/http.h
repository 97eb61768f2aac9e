/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The status address and the private one: HTTP on the control loop.
 */
#ifndef HTTP_H
#define HTTP_H

#include <event2/event.h>

#include <strelaysrv/err.h>
#include <strelaysrv/http.h>

#include "peers/listeners.h"

struct name_lookup;
struct relay_module;

/* [C]  Makes the room's state.  0, or -1 without memory. */
int http_create(void);
void http_destroy(void);

/* As in -status-srv and -private-srv; "" is none.  [C]  0, or -1 (memory). */
int http_init(struct event_base *base, const char *address,
	const char *private_address);
/*
 * Opens each address that is closed and on which a live module has a route.  A
 * failure to bind is logged, and binding is tried again every 30 s: the relay
 * works without its status page.  Looks names up on this thread, so it is for
 * the start.  [C]
 */
void http_open(void);
/*
 * The option private-hosts: further host names that private routes accept,
 * ended by NULL; borrowed until the next call.  NULL: none.  [C]
 */
void http_allow_hosts(const char *const *names);
/* Binds both now, before the process gives up the right to.  [C] */
void http_reserve(void);
/*
 * [C]  Changes the addresses.  http_stage() binds the new ones, with `names` as
 * for name_lookup_place(): 0, or -1 with err.  Then http_abandon() closes them
 * again, or http_take() puts them into service, once the routes of the new
 * configuration are live.
 */
int http_stage(const char *address, const char *private_address,
	const struct name_lookup *names, struct relay_err *err);
void http_abandon(void);
void http_take(void);
void http_finish(void);

/* An upgrade: another process is about to accept here, or failed to.  [C] */
void http_pause(void);
void http_resume(void);
/* The other process accepts: closes the sockets, which are not opened again. */
void http_leave(void);
/* Calls fn for each socket, until one returns other than 0.  [C] */
int http_each_socket(listeners_socket_fn *fn, void *arg);
/* Removes the module's routes, and closes addresses that have none left.  [C]
 */
void http_withdraw(struct relay_module *mod);

#endif

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

struct relay_module;

/* As in -status-srv and -private-srv; "" is none.  [C]  0, or -1 (memory). */
int http_init(struct event_base *base, const char *address,
	const char *private_address);
/*
 * Opens each if a live module has a route there and it is not open; an address
 * that cannot be bound is logged and tried again every 30 s, since the relay is
 * worth more than its status page.  [C]
 */
void http_open(void);
/*
 * Further names by which private routes may be asked for (private-hosts), ended
 * by NULL; borrowed until the next call.  NULL: none.  [C]
 */
void http_allow_hosts(const char *const *names);
/* Binds both already, while the process has the right to.  [C] */
void http_reserve(void);
/*
 * [C]  Other addresses: bound, then either forgotten or taken, once the routes
 * that are to be answered there are live.  http_stage: 0, or -1 with err.
 */
int http_stage(const char *address, const char *private_address,
	struct relay_err *err);
void http_abandon(void);
void http_take(void);
void http_finish(void);

/* Another process is about to take them over, or failed to.  [C] */
void http_pause(void);
void http_resume(void);
/* It has: they are closed for good. */
void http_leave(void);
/* Calls fn for each socket, until one returns other than 0.  [C] */
int http_each_socket(listeners_socket_fn *fn, void *arg);
void http_withdraw(struct relay_module *mod);

#endif

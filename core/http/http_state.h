/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The room's state: the routes of modules and the two addresses.  [C]
 */
#ifndef HTTP_STATE_H
#define HTTP_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/http.h>
#include <strelaysrv/log.h>

struct http_listener;
struct relay_metric;
struct relay_module;

struct route {
	struct route *next;
	struct relay_module *owner; /* borrowed */
	const char *path;           /* owned by the module */
	relay_http_fn *fn;
	bool private;
	int64_t rest_until_ms; /* it was slow: not called until then */
};

struct http_state {
	struct route *routes; /* owned, the newest first */
	/* Option private-hosts: host names that private routes accept;
	 * borrowed; NULL: no further names. */
	const char *const *private_hosts;
	struct http_listener *status;  /* owned; the option status-srv */
	struct http_listener *private; /* owned; the option private-srv */
	struct relay_log_kind foreign_hosts;
	struct relay_metric **metrics; /* owned array; by enum http_metric */
};

#endif

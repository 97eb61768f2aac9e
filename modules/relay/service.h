/* SPDX-License-Identifier: MPL-2.0 */

/*
 * service.h - the relay's address and URI, for other modules.
 *
 * All functions are [C]; `self` is the context from relay_service_find().
 */
#ifndef RELAY_SERVICE_H_
#define RELAY_SERVICE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/thread.h>

struct relay_ctx;

#define RELAY_SERVICE "relay"
/* 2: set_external_status and clear_external_status; 3: a port of
 * set_external. */
#define RELAY_SERVICE_VERSION 3

/* Enough for every URI. */
#define RELAY_SERVICE_URI 1536

struct relay_service {
	/* The relay's current URI, as logged.  0, or -1 with out "". */
	int (*uri)(struct relay_ctx *self, char *out, size_t cap);
	/*
	 * Whether joining needs a token, of this module or of access; then the
	 * relay is private.
	 */
	bool (*is_private)(struct relay_ctx *self);
	/*
	 * Announces `address` (IPv4 or IPv6, with its port) in the URI, and in
	 * invitations to clients of that family that came in at our `port`.  An
	 * unspecified address means the address that the client connected to;
	 * then only the port is replaced.
	 */
	void (*set_external)(struct relay_ctx *self,
		const struct sockaddr_storage *address, uint16_t port);
	/* Withdraws it: AF_INET or AF_INET6. */
	void (*clear_external)(struct relay_ctx *self, int family);
	/*
	 * Posts `changed`, without an argument, to `watcher` on the control
	 * thread whenever the URI or the announced address has changed (a name
	 * in the URI may resolve to a new address).  One per module, until
	 * unwatch.  0, or -1 if there are too many.
	 */
	int (*watch)(struct relay_ctx *self, struct relay_ctx *watcher,
		relay_post_fn *changed);
	void (*unwatch)(struct relay_ctx *self, struct relay_ctx *watcher);
	/*
	 * The same for the status address, which only the URI names.
	 */
	void (*set_external_status)(
		struct relay_ctx *self, const struct sockaddr_storage *address);
	void (*clear_external_status)(struct relay_ctx *self, int family);
};

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * service.h - what the relay module tells others about how it is reached.
 *
 * Found as any service; all of it is [C], and `self` is the context that
 * relay_service_find() gave.
 */
#ifndef RELAY_SERVICE_H_
#define RELAY_SERVICE_H_

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include <strelaysrv/thread.h>

struct relay_ctx;

#define RELAY_SERVICE         "relay"
#define RELAY_SERVICE_VERSION 1

/* Room for every URI. */
#define RELAY_SERVICE_URI 1536

struct relay_service {
	/* The relay's URI as it is now, as in the log.  0, or -1 with out "".
	 */
	int (*uri)(struct relay_ctx *self, char *out, size_t cap);
	/* Joining needs a token, of this module or of access: the relay is
	 * nobody else's business. */
	bool (*is_private)(struct relay_ctx *self);
	/*
	 * The relay is reached at `address` (IPv4 or IPv6, with its port) by
	 * clients of that family: from now on the URI and invitations say so.
	 * An unspecified address stands for the one that the client dialled,
	 * and replaces the port only.
	 */
	void (*set_external)(
		struct relay_ctx *self, const struct sockaddr_storage *address);
	/* Takes it back: AF_INET or AF_INET6. */
	void (*clear_external)(struct relay_ctx *self, int family);
	/*
	 * Posts `changed`, without an argument, to the control thread's side of
	 * `watcher` whenever the URI has changed, or what clients are told of
	 * the address: a name in the URI may lead elsewhere.  One of each
	 * module; it ends with unwatch.  0, or -1 when there are too many.
	 */
	int (*watch)(struct relay_ctx *self, struct relay_ctx *watcher,
		relay_post_fn *changed);
	void (*unwatch)(struct relay_ctx *self, struct relay_ctx *watcher);
};

#endif

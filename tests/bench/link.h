/* SPDX-License-Identifier: MPL-2.0 */

/* link.h - a client's connection in protocol mode: TLS, messages, pings. */
#ifndef LINK_H
#define LINK_H

#include <stdint.h>

#include "bench.h"
#include "identity.h"
#include "relay/messages/frame.h"

struct link;

/* Each callback may destroy the link. */
struct link_handlers {
	/* The handshake is complete: send the first message. */
	void (*opened)(struct link *link, void *arg);

	/* Called for all messages except Ping, which is answered here. */
	void (*message)(struct link *link, const struct frame_header *header,
		const uint8_t *body, void *arg);

	/* The last callback, called once. */
	void (*failed)(struct link *link, enum failure why, void *arg);
};

/*
 * Connects; NULL, counted as FAILURE_LOCAL, if it cannot start.  Fails with
 * FAILURE_TIMEOUT unless link_settled() is called within the client's timeout.
 * All arguments are borrowed until link_destroy().
 */
struct link *link_create(struct bench *bench, const struct sockaddr_in *relay,
	const struct identity *identity, const struct link_handlers *handlers,
	void *arg);

/* The awaited answer has arrived: from now on there is no timeout. */
void link_settled(struct link *link);

/*
 * Only small messages, one at a time, which always fit into the socket buffer.
 */
void link_send(struct link *link, const uint8_t *message, size_t len);

/* Sends a join request with the token of the settings. */
void link_join(struct link *link);

/* Stops reading. */
void link_deafen(struct link *link);

/* The number of pings answered. */
uint64_t link_pings(const struct link *link);

/* Closes it.  NULL is allowed. */
void link_destroy(struct link *link);

#endif

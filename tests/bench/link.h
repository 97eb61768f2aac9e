/* SPDX-License-Identifier: MPL-2.0 */

/* link.h - a client's connection in protocol mode: TLS, messages, pings. */
#ifndef LINK_H
#define LINK_H

#include <stdint.h>

#include "bench.h"
#include "identity.h"
#include "relay/frame.h"

struct link;

/* Each may destroy the link. */
struct link_handlers {
	/* The handshake is done: time to send the first message. */
	void (*opened)(struct link *link, void *arg);

	/* Anything but Ping, which is answered here. */
	void (*message)(struct link *link, const struct frame_header *header,
		const uint8_t *body, void *arg);

	/* The end, called once; nothing else follows. */
	void (*failed)(struct link *link, enum failure why, void *arg);
};

/* Connects; NULL, counted as FAILURE_LOCAL, if that cannot even begin.  Fails
 * with FAILURE_TIMEOUT unless link_settled() is called within the client's
 * patience.  Everything is borrowed until link_destroy(). */
struct link *link_create(struct bench *bench, const struct identity *identity,
	const struct link_handlers *handlers, void *arg);

/* What was awaited has come: from now on it may be silent. */
void link_settled(struct link *link);

/* Small messages only, and one at a time: they always fit the socket. */
void link_send(struct link *link, const uint8_t *message, size_t len);

/* Asks to join the relay, with the token of the settings. */
void link_join(struct link *link);

/* Pings that were answered so far. */
uint64_t link_pings(const struct link *link);

/* Closes it.  NULL is fine. */
void link_destroy(struct link *link);

#endif

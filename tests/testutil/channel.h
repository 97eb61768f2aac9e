/* SPDX-License-Identifier: MPL-2.0 */

/*
 * channel.h - a connection to a relay in protocol mode: TLS, messages, pings.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "client_state.h"
#include "relay/frame.h"
#include "client_uri.h"

struct channel;

/* Each may free the channel. */
struct channel_handlers {
	void (*step)(enum relay_client_step step, void *arg);
	/* TLS is done and the relay is the right one: time to ask. */
	void (*opened)(void *arg);
	/* Anything but Ping and Pong, which are seen to here. */
	void (*message)(enum frame_type type, const uint8_t *body, size_t len,
		void *arg);
	/* The end; nothing follows. */
	void (*failed)(const struct relay_client_error *why, void *arg);
};

/* Connects to the relay of the URI, which is copied.  Until
 * channel_settled(), the client's answer_ms limits the wait after the dial.
 * handlers are borrowed.  NULL with err when it cannot even begin. */
struct channel *channel_start(struct relay_client *client,
	const struct client_uri *uri, const struct channel_handlers *handlers,
	void *arg, struct relay_err *err);

/* The answer is there: from now on the client's silence_ms counts. */
void channel_settled(struct channel *channel);

/* One of our messages; errors arrive through failed(). */
void channel_send(struct channel *channel, const uint8_t *message, size_t len);

/* The address of the relay's end; len 0 if it is gone. */
void channel_peer(const struct channel *channel,
	struct sockaddr_storage *address, socklen_t *len);

/* Leaves the relay.  NULL is fine. */
void channel_free(struct channel *channel);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * channel.h - a connection to a relay in protocol mode: TLS, messages, pings.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "client_state.h"
#include "nearness.h"
#include "relay/messages/frame.h"
#include "client_uri.h"

struct channel;

/* Each callback may free the channel. */
struct channel_handlers {
	void (*step)(enum relay_client_step step, void *arg);
	/*
	 * The handshake is complete and the relay's ID is right: send the
	 * request.
	 */
	void (*opened)(void *arg);
	/*
	 * Called for all messages except Ping and Pong, which are handled here.
	 */
	void (*message)(enum frame_type type, const uint8_t *body, size_t len,
		void *arg);
	/* The last callback. */
	void (*failed)(const struct relay_client_error *why, void *arg);
};

/*
 * Connects to the relay of the URI, which is copied.  Until channel_settled(),
 * the client's answer_ms limits the wait after the TCP connection. handlers are
 * borrowed.  NULL with err if it cannot start.
 */
struct channel *channel_start(struct relay_client *client,
	const struct client_uri *uri, const struct channel_handlers *handlers,
	void *arg, struct relay_err *err);

/* Before the loop runs: see dial_restrict(). */
void channel_restrict(struct channel *channel, enum nearness nearest);

/* The answer has arrived: from now on silence_ms is the timeout. */
void channel_settled(struct channel *channel);

/* Sends a message; errors are reported by failed(). */
void channel_send(struct channel *channel, const uint8_t *message, size_t len);

/* The relay's address; len 0 if the connection has failed. */
void channel_peer(const struct channel *channel,
	struct sockaddr_storage *address, socklen_t *len);

/* Disconnects.  NULL is allowed. */
void channel_free(struct channel *channel);

#endif

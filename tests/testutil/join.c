/* SPDX-License-Identifier: MPL-2.0 */

/* Joins a relay and receives invitations. */

#include <stdlib.h>
#include <string.h>

#include "contact.h"
#include "invitation.h"

struct relay_client_join {
	struct relay_client *client; /* borrowed */
	struct relay_client_join_handlers handlers;
	void *arg;
	struct contact *contact; /* owned */
	bool joined;
};

static size_t request(
	const struct client_uri *relay, uint8_t *buf, size_t cap, void *arg)
{
	const struct relay_client_join *join = arg;
	const char *token = relay->token;

	/*
	 * The token belongs to the user's own relay; do not send it to a pool's
	 * relays.
	 */
	if (!token[0] && !contact_is_pooled(join->contact))
		token = join->client->token;

	return frame_write_join_relay(buf, cap, token, strlen(token));
}

static void take_response(
	struct relay_client_join *join, const uint8_t *body, size_t len)
{
	struct relay_client_error why;

	if (response_read(body, len, &why)) {
		contact_reject(join->contact, why.failure, why.text);
		return;
	}
	join->joined = true;
	contact_settled(join->contact);
	join->handlers.joined(contact_uri(join->contact), join->arg);
}

static void take_invitation(
	struct relay_client_join *join, const uint8_t *body, size_t len)
{
	struct relay_client_invitation invitation;
	struct sockaddr_storage own;
	struct relay_err err;
	socklen_t own_len;

	contact_peer(join->contact, &own, &own_len);
	if (invitation_read(body, len, &own, own_len, &invitation, &err))
		contact_reject(
			join->contact, RELAY_CLIENT_BAD_MESSAGE, err.text);
	else
		join->handlers.invited(&invitation, join->arg);
}

static void message(
	enum frame_type type, const uint8_t *body, size_t len, void *arg)
{
	struct relay_client_join *join = arg;

	if (type == FRAME_RELAY_FULL)
		contact_reject(
			join->contact, RELAY_CLIENT_FULL, "the relay is full");
	else if (type == FRAME_RESPONSE && !join->joined)
		take_response(join, body, len);
	else if (type == FRAME_INVITATION && join->joined)
		take_invitation(join, body, len);
	else
		contact_reject(join->contact, RELAY_CLIENT_BAD_MESSAGE,
			"a message that has no place there");
}

static void step(enum relay_client_step at, const char *relay, void *arg)
{
	const struct relay_client_join *join = arg;

	if (join->handlers.step)
		join->handlers.step(at, relay, join->arg);
}

static void failed(const struct relay_client_error *why, void *arg)
{
	struct relay_client_join *join = arg;

	join->handlers.ended(why, join->arg);
}

static const struct contact_handlers contact_handlers = {
	request, message, step, failed};

struct relay_client_join *relay_client_join(struct relay_client *client,
	const char *uri, const struct relay_client_join_handlers *handlers,
	void *arg, struct relay_err *err)
{
	struct relay_client_join *join = calloc(1, sizeof(*join));

	if (!join) {
		(void)relay_fail(err, "no memory to join a relay");
		return NULL;
	}
	join->client = client;
	join->handlers = *handlers;
	join->arg = arg;
	join->contact =
		contact_start(client, uri, &contact_handlers, join, err);
	if (join->contact)
		return join;
	free(join);
	return NULL;
}

void relay_client_join_free(struct relay_client_join *join)
{
	if (!join)
		return;
	contact_free(join->contact);
	free(join);
}

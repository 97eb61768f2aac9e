/* SPDX-License-Identifier: MPL-2.0 */

/* Asks a relay for a session with a device. */

#include <stdlib.h>
#include <string.h>

#include "contact.h"
#include "invitation.h"

struct relay_client_ask {
	struct relay_client_ask_handlers handlers;
	void *arg;
	uint8_t device[RELAY_DEVICE_ID_LEN];
	struct contact *contact; /* owned */
	struct relay_client_invitation invitation;
};

static size_t request(
	const struct client_uri *relay, uint8_t *buf, size_t cap, void *arg)
{
	const struct relay_client_ask *ask = arg;

	(void)relay;
	return frame_write_connect(buf, cap, ask->device, sizeof(ask->device));
}

static int read_invitation(struct relay_client_ask *ask, const uint8_t *body,
	size_t len, struct relay_err *err)
{
	struct sockaddr_storage own;
	socklen_t own_len;

	contact_peer(ask->contact, &own, &own_len);
	if (invitation_read(body, len, &own, own_len, &ask->invitation, err))
		return -1;
	if (memcmp(ask->invitation.from, ask->device, sizeof(ask->device)))
		return relay_fail(
			err, "an invitation to another device than asked for");
	return 0;
}

static void message(
	enum frame_type type, const uint8_t *body, size_t len, void *arg)
{
	struct relay_client_ask *ask = arg;
	struct relay_client_error why = {RELAY_CLIENT_BAD_MESSAGE, ""};
	struct relay_err err = {"a message that has no place there"};

	if (type == FRAME_INVITATION &&
		read_invitation(ask, body, len, &err) == 0) {
		/* The relay closes this connection; nothing else follows. */
		contact_free(ask->contact);
		ask->contact = NULL;
		ask->handlers.invited(&ask->invitation, ask->arg);
		return;
	}
	if (type == FRAME_RELAY_FULL)
		client_error(&why, RELAY_CLIENT_FULL, "the relay is full");
	else if (type != FRAME_RESPONSE || response_read(body, len, &why) == 0)
		client_error(&why, RELAY_CLIENT_BAD_MESSAGE, "%s", err.text);
	contact_reject(ask->contact, why.failure, why.text);
}

static void step(enum relay_client_step at, const char *relay, void *arg)
{
	const struct relay_client_ask *ask = arg;

	if (ask->handlers.step)
		ask->handlers.step(at, relay, ask->arg);
}

static void failed(const struct relay_client_error *why, void *arg)
{
	struct relay_client_ask *ask = arg;

	ask->handlers.failed(why, ask->arg);
}

static const struct contact_handlers contact_handlers = {
	request, message, step, failed};

struct relay_client_ask *relay_client_ask(struct relay_client *client,
	const char *uri, const uint8_t device[RELAY_DEVICE_ID_LEN],
	const struct relay_client_ask_handlers *handlers, void *arg,
	struct relay_err *err)
{
	struct relay_client_ask *ask = calloc(1, sizeof(*ask));

	if (!ask) {
		(void)relay_fail(err, "no memory to ask a relay");
		return NULL;
	}
	ask->handlers = *handlers;
	ask->arg = arg;
	memcpy(ask->device, device, sizeof(ask->device));
	ask->contact = contact_start(client, uri, &contact_handlers, ask, err);
	if (ask->contact)
		return ask;
	free(ask);
	return NULL;
}

void relay_client_ask_free(struct relay_client_ask *ask)
{
	if (!ask)
		return;
	contact_free(ask->contact);
	free(ask);
}

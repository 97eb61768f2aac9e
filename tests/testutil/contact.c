/* SPDX-License-Identifier: MPL-2.0 */

/* Connects to a relay by any URI: the named relay, or one of a pool. */

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "candidates.h"
#include "contact.h"
#include "latency.h"
#include "pool.h"

struct contact {
	struct relay_client *client; /* borrowed */
	struct contact_handlers handlers;
	void *arg;
	char *text;             /* the URI as given; owned */
	struct client_uri uri;  /* of the relay in use */
	struct pool *pool;      /* owned, like all pointers here */
	struct candidates list; /* empty without a pool */
	size_t at;              /* index of the next candidate */
	struct latency *latency;
	struct channel *channel;
	bool settled;
	char place[CLIENT_PLACE];
};

static void report(struct contact *contact, enum relay_client_step step)
{
	if (contact->handlers.step)
		contact->handlers.step(step, contact->place, contact->arg);
}

static void channel_step(enum relay_client_step step, void *arg)
{
	report(arg, step);
}

static void channel_opened(void *arg)
{
	struct contact *contact = arg;
	uint8_t buf[FRAME_MAX];
	size_t len = contact->handlers.request(
		&contact->uri, buf, sizeof(buf), contact->arg);

	channel_send(contact->channel, buf, len);
	OPENSSL_cleanse(buf, sizeof(buf)); /* the token */
	report(contact, RELAY_CLIENT_STEP_TLS);
}

static void channel_message(
	enum frame_type type, const uint8_t *body, size_t len, void *arg)
{
	struct contact *contact = arg;

	contact->handlers.message(type, body, len, contact->arg);
}

static void channel_failed(const struct relay_client_error *why, void *arg);

static const struct channel_handlers channel_handlers = {
	channel_step, channel_opened, channel_message, channel_failed};

static int open_channel(struct contact *contact, struct relay_err *err)
{
	client_uri_place(&contact->uri, contact->place);
	contact->channel = channel_start(contact->client, &contact->uri,
		&channel_handlers, contact, err);
	if (!contact->channel)
		return -1;
	if (contact_is_pooled(contact))
		channel_restrict(contact->channel, contact->list.nearest);
	return 0;
}

/* Tries the next candidate.  0, or -1 if there is none. */
static int open_next(struct contact *contact)
{
	while (contact->at < contact->list.count) {
		const struct candidate *c = &contact->list.all[contact->at++];

		if (client_uri_parse(c->uri, &contact->uri, NULL) == 0 &&
			open_channel(contact, NULL) == 0)
			return 0;
	}
	return -1;
}

static void channel_failed(const struct relay_client_error *why, void *arg)
{
	struct contact *contact = arg;
	struct relay_client_error copy = *why;

	channel_free(contact->channel);
	contact->channel = NULL;
	if (contact->settled || open_next(contact))
		contact->handlers.failed(&copy, contact->arg);
}

void contact_reject(struct contact *contact, enum relay_client_failure failure,
	const char *what)
{
	struct relay_client_error why;

	client_error(&why, failure, "%s: %s", contact->place, what);
	channel_failed(&why, contact);
}

static void fail_locally(struct contact *contact, const char *what)
{
	struct relay_client_error why;

	client_error(&why, RELAY_CLIENT_LOCAL, "%s", what);
	contact->handlers.failed(&why, contact->arg);
}

static void fill_random(void *buf, size_t len, void *arg)
{
	(void)arg;
	/* Without random numbers the list is still sorted by latency. */
	if (RAND_bytes(buf, (int)len) != 1)
		memset(buf, 0, len);
}

static void measured(void *arg)
{
	struct contact *contact = arg;

	latency_free(contact->latency);
	contact->latency = NULL;
	candidates_order(&contact->list, fill_random, NULL);
	contact->place[0] = '\0';
	if (open_next(contact))
		fail_locally(contact, "no memory for a connection");
	else
		report(contact, RELAY_CLIENT_STEP_LATENCY);
}

static void pool_done(struct candidates *list,
	const struct relay_client_error *why, void *arg)
{
	struct contact *contact = arg;
	struct relay_client_error copy;
	struct relay_err err;

	if (!list)
		copy = *why;
	else
		contact->list = *list;
	pool_free(contact->pool);
	contact->pool = NULL;
	if (!list) {
		contact->handlers.failed(&copy, contact->arg);
		return;
	}
	contact->latency = latency_start(
		contact->client, &contact->list, measured, contact, &err);
	if (!contact->latency)
		fail_locally(contact, err.text);
	else
		report(contact, RELAY_CLIENT_STEP_POOL);
}

static int begin(struct contact *contact, struct relay_err *err)
{
	if (client_uri_parse(contact->text, &contact->uri, err))
		return -1;
	if (contact->uri.kind == CLIENT_URI_RELAY)
		return open_channel(contact, err);
	contact->pool = pool_start(
		contact->client, &contact->uri, pool_done, contact, err);
	return contact->pool ? 0 : -1;
}

struct contact *contact_start(struct relay_client *client, const char *uri,
	const struct contact_handlers *handlers, void *arg,
	struct relay_err *err)
{
	struct contact *contact = calloc(1, sizeof(*contact));

	if (!contact) {
		(void)relay_fail(err, "no memory to reach a relay");
		return NULL;
	}
	contact->client = client;
	contact->handlers = *handlers;
	contact->arg = arg;
	contact->text = strndup(uri, CLIENT_URI_MAX + 1);
	if (!contact->text)
		(void)relay_fail(err, "no memory to reach a relay");
	else if (begin(contact, err) == 0)
		return contact;
	contact_free(contact);
	return NULL;
}

void contact_settled(struct contact *contact)
{
	contact->settled = true;
	channel_settled(contact->channel);
}

bool contact_is_pooled(const struct contact *contact)
{
	return contact->list.count > 0;
}

const char *contact_uri(const struct contact *contact)
{
	return contact_is_pooled(contact)
		       ? contact->list.all[contact->at - 1].uri
		       : contact->text;
}

void contact_peer(const struct contact *contact,
	struct sockaddr_storage *address, socklen_t *len)
{
	channel_peer(contact->channel, address, len);
}

void contact_free(struct contact *contact)
{
	if (!contact)
		return;
	channel_free(contact->channel);
	latency_free(contact->latency);
	pool_free(contact->pool);
	candidates_finish(&contact->list);
	OPENSSL_cleanse(&contact->uri, sizeof(contact->uri));
	if (contact->text)
		OPENSSL_cleanse(contact->text, strlen(contact->text));
	free(contact->text);
	free(contact);
}

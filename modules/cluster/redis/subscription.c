/* SPDX-License-Identifier: MPL-2.0 */

/* The connection on which messages come. */

#include "cluster/redis/registry_state.h"

#define CHANNELS 2

static void opened(void *arg)
{
	struct redis_registry *registry = arg;
	const struct resp_part parts[] = {RESP_PART("SUBSCRIBE"),
		key_part(&registry->keys.to_self),
		key_part(&registry->keys.all)};

	if (auth_ask(registry, &registry->sub) != 0 ||
		talk_say(&registry->sub, parts, 1 + CHANNELS) != 0)
		seek_failed(registry, "out of memory");
}

/* Only AUTH is waited for, and without it SUBSCRIBE fails as well. */
static void replied(
	void *arg, const struct asked *asked, const struct resp *reply)
{
	(void)arg;
	(void)asked;
	(void)reply;
}

static void take_message(
	struct redis_registry *registry, const struct resp *bytes)
{
	if (registry->stage != STAGE_HERE)
		return;
	registry->counts.messages++;
	registry->calls.received(registry->arg, bytes->bytes, bytes->len);
}

static void pushed(void *arg, const struct resp *reply)
{
	struct redis_registry *registry = arg;
	char text[REPLY_TEXT];
	enum push push;
	const struct resp *bytes;

	if (reply_push(reply, &push, &bytes) != 0) {
		enum redis_fault fault = reply_fault(reply);

		registry->counts
			.faults[fault == REDIS_FAULTS ? REDIS_FAULT_REPLY
						      : fault]++;
		reply_describe(reply, text);
		seek_failed(registry, "it refuses the subscription: %s", text);
	} else if (push == PUSH_SUBSCRIBED) {
		if (registry->stage == STAGE_SUBSCRIBE &&
			++registry->subscribed == CHANNELS)
			registry_here(registry);
	} else if (push == PUSH_MESSAGE) {
		take_message(registry, bytes);
	}
}

static void lost(void *arg, const char *why)
{
	seek_failed(arg, "%s", why);
}

const struct talk_calls subscription_calls = {
	.opened = opened,
	.replied = replied,
	.pushed = pushed,
	.lost = lost,
};

void subscription_ping(struct redis_registry *registry)
{
	const struct resp_part parts[] = {RESP_PART("PING")};

	/* A connection that cannot be written to ends by itself. */
	(void)talk_say(&registry->sub, parts, 1);
}

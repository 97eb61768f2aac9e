/* SPDX-License-Identifier: MPL-2.0 */

#include <assert.h>
#include <string.h>

#include "cluster/messages/message.h"

const char *const node_state_words[] = {
	[NODE_OPEN] = "open",
	[NODE_CLOSED] = "closed",
	[NODE_DRAINING] = "draining",
	[NODE_STATES] = NULL,
};

/*
 * A place in a body that is written or read.  One function for each message
 * names its fields, in both directions, so that these cannot differ.
 */
struct cursor {
	const uint8_t *in; /* NULL: it is written */
	uint8_t *out;
	size_t used;
	bool good;
};

static void need(struct cursor *c, bool condition)
{
	c->good = c->good && condition;
}

static void put_or_get(struct cursor *c, void *value, size_t len)
{
	if (c->in)
		memcpy(value, c->in + c->used, len);
	else
		memcpy(c->out + c->used, value, len);
	c->used += len;
}

static uint64_t number(struct cursor *c, uint64_t value, size_t len)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(value >> 8 * (len - 1 - i));
	put_or_get(c, bytes, len);
	value = 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

static unsigned u8_below(struct cursor *c, unsigned value, unsigned bound)
{
	need(c, value < bound);
	value = (unsigned)number(c, value, 1);
	need(c, value < bound);
	return value;
}

static void u32(struct cursor *c, uint32_t *value)
{
	*value = (uint32_t)number(c, *value, 4);
}

static void u64(struct cursor *c, uint64_t *value)
{
	*value = number(c, *value, 8);
}

/* `len` bytes at `value`, of which those from `end` on are 0. */
static void padded(struct cursor *c, void *value, size_t end, size_t len)
{
	static const uint8_t zeros[MESSAGE_NAME];
	uint8_t *bytes = value;

	if (!c->in)
		memset(bytes + end, 0, len - end);
	put_or_get(c, bytes, end);
	if (c->in)
		need(c, memcmp(c->in + c->used, zeros, len - end) == 0);
	put_or_get(c, bytes + end, len - end);
}

/* `v4` and `v6`: 4 and 16 if that family is allowed, else 0. */
static void place(
	struct cursor *c, struct message_place *place, unsigned v4, unsigned v6)
{
	unsigned len = u8_below(c, place->len, sizeof(place->address) + 1);

	need(c, len == 0 || len == v4 || len == v6);
	if (!c->good)
		len = 0;
	place->len = (uint8_t)len;
	padded(c, place->address, len, sizeof(place->address));
	place->port = (uint16_t)number(c, place->port, 2);
	need(c, len > 0 || place->port == 0);
}

/* Where something listens. */
static void served(
	struct cursor *c, struct message_place *v4, struct message_place *v6)
{
	place(c, v4, 4, 0);
	place(c, v6, 0, 16);
	need(c, !v4->len || v4->port);
	need(c, !v6->len || v6->port);
}

static void name(struct cursor *c, char *value)
{
	const void *bytes = c->in ? (const void *)(c->in + c->used) : value;
	const char *end = memchr(bytes, '\0', MESSAGE_NAME);

	need(c, end != NULL);
	padded(c, value, end ? (size_t)(end - (const char *)bytes) : 0,
		MESSAGE_NAME);
	need(c, end && message_name_fits(value));
}

static void lease(struct cursor *c, struct message *message)
{
	struct node_facts *facts = &message->lease;

	name(c, facts->name);
	served(c, &facts->v4, &facts->v6);
	facts->state = (enum node_state)u8_below(
		c, (unsigned)facts->state, NODE_STATES);
	u32(c, &facts->sessions);
	u64(c, &facts->rate);
	u64(c, &facts->capacity);
	u32(c, &facts->lease_ms);
	u64(c, &facts->answers);
}

static void empty(struct cursor *c, struct message *message)
{
	(void)c;
	(void)message;
}

static void ask(struct cursor *c, struct message *message)
{
	struct message_ask *ask = &message->ask;

	u64(c, &ask->number);
	put_or_get(c, ask->asker, MESSAGE_ID);
	put_or_get(c, ask->target, MESSAGE_ID);
	place(c, &ask->from, 4, 16);
}

static void answer(struct cursor *c, struct message *message)
{
	struct message_answer *answer = &message->answer;

	u64(c, &answer->number);
	answer->end = (enum answer_end)u8_below(
		c, (unsigned)answer->end, ANSWER_ENDS);
	served(c, &answer->v4, &answer->v6);
	need(c, answer->end != ANSWER_INVITED || answer->v4.len ||
			answer->v6.len);
	put_or_get(c, answer->key, sizeof(answer->key));
}

static void claim(struct cursor *c, struct message *message)
{
	put_or_get(c, message->claim.id, MESSAGE_ID);
	u64(c, &message->claim.epoch);
}

#define PLACE (1 + 16 + 2) /* length, address, port */

/* The table of messages. */
static const struct {
	const char *word;
	size_t size;
	void (*fields)(struct cursor *c, struct message *message);
} messages[] = {
	[MESSAGE_LEASE] = {"lease",
		MESSAGE_NAME + 2 * PLACE + 1 + 4 + 8 + 8 + 4 + 8, lease},
	[MESSAGE_HELLO] = {"hello", 0, empty},
	[MESSAGE_GOODBYE] = {"goodbye", 0, empty},
	[MESSAGE_ASK] = {"ask", 8 + 2 * MESSAGE_ID + PLACE, ask},
	[MESSAGE_ANSWER] = {"answer", 8 + 1 + 2 * PLACE + 2 * MESSAGE_ID,
		answer},
	[MESSAGE_PREPARE] = {"prepare", 8 + 2 * MESSAGE_ID + PLACE, ask},
	[MESSAGE_PREPARED] = {"prepared", 8 + 1 + 2 * PLACE + 2 * MESSAGE_ID,
		answer},
	[MESSAGE_CLAIMED] = {"claimed", MESSAGE_ID + 8, claim},
	[MESSAGE_ALIVE] = {"alive", MESSAGE_ID + 8, claim},
};
static_assert(sizeof(messages) / sizeof(messages[0]) == MESSAGE_TYPES,
	"a row for every message");

bool message_known(unsigned type)
{
	return type < MESSAGE_TYPES && messages[type].word;
}

const char *message_word(unsigned type)
{
	return message_known(type) ? messages[type].word : "unknown";
}

bool message_name_fits(const char *name)
{
	size_t len = 0;

	for (; name[len]; len++)
		if (len == MESSAGE_NAME - 1 || name[len] <= ' ' ||
			name[len] > '~' || strchr("\"'`\\", name[len]))
			return false;
	return len > 0;
}

int message_write(
	const struct message *in, uint8_t *out, size_t cap, size_t *len)
{
	struct message copy = *in;
	struct cursor c = {.out = out, .good = true};

	if (!message_known((unsigned)in->type) || cap < messages[in->type].size)
		return -1;
	messages[in->type].fields(&c, &copy);
	assert(c.used == messages[in->type].size);
	*len = c.used;
	return c.good ? 0 : -1;
}

int message_read(const uint8_t *bytes, size_t len, struct message *out)
{
	struct cursor c = {.in = bytes, .good = true};

	if (!message_known((unsigned)out->type) ||
		len < messages[out->type].size)
		return -1;
	messages[out->type].fields(&c, out);
	assert(c.used == messages[out->type].size);
	return c.good ? 0 : -1;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* struct registry_ops: each call is one command. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster/redis/redis_registry.h"
#include "cluster/redis/registry_state.h"

#define NUMBER 24 /* a number as text, with its end */

static int ask(struct redis_registry *registry, const struct asked *asked,
	const struct resp_part *parts, size_t count)
{
	if (registry->stage != STAGE_HERE || registry->slow)
		return -1;
	if (talk_ask(&registry->main, asked, parts, count) == 0)
		return 0;
	registry->counts.refused++;
	return -1;
}

static struct resp_part sha(
	const struct redis_registry *registry, enum script script)
{
	return (struct resp_part){registry->sha[script], 40};
}

static int claim(void *self, const uint8_t id[REGISTRY_ID], enum claim_how how,
	uint64_t epoch, uint64_t serial)
{
	struct redis_registry *registry = self;
	struct asked asked = {.kind = ASKED_CLAIM};
	struct key key = keys_device(&registry->keys, id);
	const char *word = how == CLAIM_JOIN ? "join" : "check";
	uint8_t entry[KEYS_ENTRY];
	const struct resp_part parts[] = {RESP_PART("EVALSHA"),
		sha(registry, SCRIPT_CLAIM), RESP_PART("1"), key_part(&key),
		{entry, sizeof(entry)}, {word, strlen(word)}};

	memcpy(asked.of.id, id, REGISTRY_ID);
	memcpy(entry, registry->self, 8);
	keys_put(entry + 8, epoch);
	keys_put(entry + 16, serial);
	return ask(registry, &asked, parts, 6);
}

static int release(void *self, const uint8_t id[REGISTRY_ID], uint64_t serial)
{
	struct redis_registry *registry = self;
	const struct asked asked = {.kind = ASKED_RELEASE};
	struct key key = keys_device(&registry->keys, id);
	uint8_t most[16];
	const struct resp_part parts[] = {RESP_PART("EVALSHA"),
		sha(registry, SCRIPT_RELEASE), RESP_PART("1"), key_part(&key),
		{most, sizeof(most)}};

	memcpy(most, registry->self, 8);
	keys_put(most + 8, serial);
	return ask(registry, &asked, parts, 5);
}

static int find(void *self, const uint8_t id[REGISTRY_ID], uint64_t number,
	const uint8_t *message, size_t len)
{
	struct redis_registry *registry = self;
	const struct asked asked = {.kind = ASKED_FIND, .of.number = number};
	struct key key = keys_device(&registry->keys, id);
	const struct resp_part parts[] = {RESP_PART("EVALSHA"),
		sha(registry, SCRIPT_FIND), RESP_PART("1"), key_part(&key),
		{registry->self, 8}, key_part(&registry->keys.prefix),
		{message, len}};

	return len > REGISTRY_MESSAGE ? -1 : ask(registry, &asked, parts, 7);
}

static int send_message(
	void *self, uint64_t incarnation, const uint8_t *message, size_t len)
{
	struct redis_registry *registry = self;
	const struct asked asked = {.kind = ASKED_SEND};
	struct key to = incarnation ? keys_to(&registry->keys, incarnation)
				    : registry->keys.all;
	const struct resp_part parts[] = {
		RESP_PART("PUBLISH"), key_part(&to), {message, len}};

	return len > REGISTRY_MESSAGE ? -1 : ask(registry, &asked, parts, 3);
}

static int lease(void *self, const uint8_t *lease, size_t len, int64_t for_ms)
{
	struct redis_registry *registry = self;
	const struct asked asked = {.kind = ASKED_LEASE};
	const struct keys *keys = &registry->keys;
	char ms[NUMBER];
	int ms_len = snprintf(ms, sizeof(ms), "%" PRId64, for_ms);
	const struct resp_part parts[] = {RESP_PART("EVALSHA"),
		sha(registry, SCRIPT_LEASE), RESP_PART("2"),
		key_part(&keys->node), key_part(&keys->nodes), {lease, len},
		{ms, (size_t)ms_len}, {keys->hex, KEYS_HEX},
		key_part(&keys->all)};

	return len > REGISTRY_MESSAGE || for_ms <= 0
		       ? -1
		       : ask(registry, &asked, parts, 9);
}

static int lease_end(void *self)
{
	struct redis_registry *registry = self;
	const struct asked asked = {.kind = ASKED_LEASE_END};
	const struct resp_part parts[] = {
		RESP_PART("DEL"), key_part(&registry->keys.node)};

	return ask(registry, &asked, parts, 2);
}

int requests_leases(struct redis_registry *registry, const char *from)
{
	const struct asked asked = {.kind = ASKED_LEASES};
	const struct keys *keys = &registry->keys;
	const struct resp_part parts[] = {RESP_PART("EVALSHA"),
		sha(registry, SCRIPT_LEASES), RESP_PART("1"),
		key_part(&keys->nodes), {from, strlen(from)},
		key_part(&keys->node_prefix)};

	return ask(registry, &asked, parts, 6);
}

static int lease_all(void *self)
{
	struct redis_registry *registry = self;

	registry->pages = 0;
	return requests_leases(registry, "0");
}

static int identify(void *self, const uint8_t id[REGISTRY_ID])
{
	struct redis_registry *registry = self;
	const struct asked asked = {.kind = ASKED_IDENTIFY};
	const struct resp_part parts[] = {RESP_PART("EVALSHA"),
		sha(registry, SCRIPT_IDENTIFY), RESP_PART("1"),
		key_part(&registry->keys.relay), {id, REGISTRY_ID}};

	return ask(registry, &asked, parts, 5);
}

static struct asked asked_row(enum asked_kind kind,
	const struct registry_table *table, const struct registry_row *row)
{
	struct asked asked = {.kind = kind, .table = (uint8_t)table->number};

	memcpy(asked.of.id, row->key, REGISTRY_ID);
	return asked;
}

static int row_put(void *self, const struct registry_table *table,
	const struct registry_row *row, const struct registry_row *instead)
{
	struct redis_registry *registry = self;
	const struct asked asked = asked_row(ASKED_ROW_PUT, table, row);
	struct key rows = keys_rows(&registry->keys, table->name);
	struct key news = keys_news(&registry->keys, table->name);
	char most[NUMBER];
	int most_len = snprintf(most, sizeof(most), "%d", REGISTRY_ROWS);
	const struct resp_part parts[] = {RESP_PART("EVALSHA"),
		sha(registry, SCRIPT_ROW_PUT), RESP_PART("2"), key_part(&rows),
		key_part(&news), {row->key, REGISTRY_ID},
		{row->bytes, row->len},
		{instead ? (const void *)instead->bytes : "",
			instead ? instead->len : 0},
		{most, (size_t)most_len}};

	return row->len > REGISTRY_ROW ? -1 : ask(registry, &asked, parts, 9);
}

static int row_drop(void *self, const struct registry_table *table,
	const struct registry_row *row)
{
	struct redis_registry *registry = self;
	const struct asked asked = asked_row(ASKED_ROW_DROP, table, row);
	struct key rows = keys_rows(&registry->keys, table->name);
	struct key news = keys_news(&registry->keys, table->name);
	const struct resp_part parts[] = {RESP_PART("EVALSHA"),
		sha(registry, SCRIPT_ROW_DROP), RESP_PART("2"), key_part(&rows),
		key_part(&news), {row->key, REGISTRY_ID},
		{row->bytes, row->len}};

	return ask(registry, &asked, parts, 7);
}

static int rows_since(
	void *self, const struct registry_table *table, uint64_t since)
{
	struct redis_registry *registry = self;
	const struct asked asked = {
		.kind = ASKED_ROWS, .table = (uint8_t)table->number};
	struct key rows = keys_rows(&registry->keys, table->name);
	struct key news = keys_news(&registry->keys, table->name);
	char number[NUMBER];
	int len = snprintf(number, sizeof(number), "%" PRIu64, since);
	const struct resp_part parts[] = {RESP_PART("EVALSHA"),
		sha(registry, SCRIPT_ROWS), RESP_PART("2"), key_part(&rows),
		key_part(&news), {number, (size_t)len}};

	return ask(registry, &asked, parts, 6);
}

int requests_role(struct redis_registry *registry)
{
	const struct asked asked = {.kind = ASKED_ROLE_AGAIN};
	const struct resp_part parts[] = {RESP_PART("ROLE")};

	/* Also while it is slow. */
	return talk_ask(&registry->main, &asked, parts, 1);
}

const struct registry_ops redis_registry_ops = {
	.claim = claim,
	.release = release,
	.find = find,
	.send = send_message,
	.lease = lease,
	.lease_end = lease_end,
	.lease_all = lease_all,
	.identify = identify,
	.row_put = row_put,
	.row_drop = row_drop,
	.rows = rows_since,
};

/* SPDX-License-Identifier: MPL-2.0 */

/* Names of keys and channels. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster/redis/keys.h"

static struct key join(const struct key *prefix, const void *rest, size_t len)
{
	struct key key = *prefix;

	memcpy(key.bytes + key.len, rest, len);
	key.len += len;
	key.bytes[key.len] = '\0';
	return key;
}

static struct key add(const struct key *prefix, const char *rest)
{
	return join(prefix, rest, strlen(rest));
}

static bool is_name(const char *name)
{
	static const char signs[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return *name && strlen(name) <= KEYS_NAME &&
	       strspn(name, signs) == strlen(name);
}

int keys_init(struct keys *keys, const char *name, uint64_t incarnation,
	struct relay_err *err)
{
	struct key to;

	*keys = (struct keys){.hex = ""};
	if (!is_name(name))
		return relay_fail(err,
			"the name of a cluster has 1 to %d letters, digits, "
			"dots, hyphens and underscores, not '%.100s'",
			KEYS_NAME, name);
	keys->prefix.len = (size_t)snprintf(keys->prefix.bytes,
		sizeof(keys->prefix.bytes), "st:{%s}:", name);
	(void)snprintf(
		keys->hex, sizeof(keys->hex), "%016" PRIx64, incarnation);
	keys->node_prefix = add(&keys->prefix, "node:");
	keys->nodes = add(&keys->prefix, "nodes");
	keys->relay = add(&keys->prefix, "relay");
	keys->all = add(&keys->prefix, "all");
	keys->node = add(&keys->node_prefix, keys->hex);
	to = add(&keys->prefix, "to:");
	keys->to_self = add(&to, keys->hex);
	return 0;
}

struct key keys_device(const struct keys *keys, const uint8_t id[REGISTRY_ID])
{
	struct key key = add(&keys->prefix, "d:");

	return join(&key, id, REGISTRY_ID);
}

struct key keys_rows(const struct keys *keys, const char *table)
{
	struct key key = add(&keys->prefix, "rows:");

	return join(&key, table, strnlen(table, REGISTRY_ID - 5));
}

struct key keys_news(const struct keys *keys, const char *table)
{
	struct key key = add(&keys->prefix, "news:");

	return join(&key, table, strnlen(table, REGISTRY_ID - 5));
}

struct key keys_to(const struct keys *keys, uint64_t incarnation)
{
	char rest[3 + KEYS_HEX + 1];

	(void)snprintf(rest, sizeof(rest), "to:%016" PRIx64, incarnation);
	return add(&keys->prefix, rest);
}

void keys_put(uint8_t to[8], uint64_t number)
{
	for (int i = 7; i >= 0; i--, number >>= 8)
		to[i] = (uint8_t)number;
}

uint64_t keys_get(const uint8_t from[8])
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | from[i];
	return number;
}

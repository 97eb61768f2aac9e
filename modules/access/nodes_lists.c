/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Whether the other nodes of a cluster have the same lists and tokens in force.
 *
 * Each node tells a digest of what it has.  The lists themselves stay in files:
 * a guard must not depend on a server that can be away, or on who may write
 * there.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/sha.h>

#include "data.h"
#include "nodes_lists.h"

#define TABLE "lists"
/* How often a digest is told, and how long it counts: a node that has ended
 * differs no longer than this. */
#define TELL_MS INT64_C(20000)
#define LASTS_S 120
/* While an operator gives all nodes a new file, they differ for a moment. */
#define PATIENCE 10
/* A row: the first bytes of the digest, and of the node's name. */
#define DIGEST 16
#define NAME   (RELAY_SHARED_VALUE - DIGEST)

/* Adds bytes to a digest.  False: no memory. */
static bool mix(uint8_t digest[32], const void *bytes, size_t len)
{
	uint8_t both[64];

	memcpy(both, digest, 32);
	return SHA256(bytes, len, both + 32) &&
	       SHA256(both, sizeof(both), digest);
}

static bool mix_number(uint8_t digest[32], uint64_t number)
{
	uint8_t bytes[8];

	for (int i = 7; i >= 0; i--, number >>= 8)
		bytes[i] = (uint8_t)number;
	return mix(digest, bytes, sizeof(bytes));
}

static bool mix_rules(uint8_t digest[32], const struct rules *rules)
{
	return mix_number(digest, rules->id_count) &&
	       mix(digest, rules->ids, rules->id_count * sizeof(*rules->ids)) &&
	       mix(digest, rules->ranges.list,
		       rules->ranges.count * sizeof(*rules->ranges.list));
}

static bool mix_account(uint8_t digest[32], const struct account *account)
{
	const struct account_terms *terms = &account->terms;

	return mix(digest, account->name, strlen(account->name)) &&
	       mix(digest, terms->digest, sizeof(terms->digest)) &&
	       mix_number(digest, (uint64_t)terms->rate) &&
	       mix_number(digest, (uint64_t)terms->weight) &&
	       mix_number(digest, (uint64_t)terms->quota) &&
	       mix_number(digest, (uint64_t)terms->expires_s);
}

/* Only this thread changes what is in force. */
static bool make_digest(const struct data *data, uint8_t digest[32])
{
	const struct policy *policy = data->policy;
	const struct accounts *accounts = &data->accounts;
	bool made = true;

	memcpy(digest, data->nodes.secret, 32);
	for (int i = 0; i < LISTS * HALVES && made; i++)
		made = mix_rules(
			digest, &policy->rules[i / HALVES][i % HALVES]);
	made = made &&
	       mix(digest, policy->tokens.digests,
		       policy->tokens.count * sizeof(*policy->tokens.digests));
	for (size_t i = 0; i < accounts->count && made; i++)
		made = mix_account(digest, accounts->order[i]);
	return made;
}

struct look {
	struct nodes *nodes;
	uint8_t key[RELAY_SHARED_KEY]; /* of this node */
	int64_t differ;
};

static void compare(void *arg, const struct relay_shared_row *row)
{
	struct look *look = arg;
	struct nodes *nodes = look->nodes;

	if (row->len < DIGEST || memcmp(row->key, look->key, 32) == 0 ||
		memcmp(row->value, nodes->digest, DIGEST) == 0)
		return;
	look->differ++;
	(void)snprintf(nodes->first, sizeof(nodes->first), "%.*s",
		row->len - DIGEST, (const char *)row->value + DIGEST);
}

static void tell(struct relay_ctx *cx, const struct relay_shared_tables *tables,
	struct relay_ctx *self, const struct look *look)
{
	struct nodes *nodes = look->nodes;
	const char *name = tables->name(self);
	struct relay_shared_row row = {
		.until_s = relay_wall_us() / 1000000 + LASTS_S};

	memcpy(row.key, look->key, sizeof(row.key));
	memcpy(row.value, nodes->digest, DIGEST);
	row.len = (uint8_t)(DIGEST + strnlen(name, NAME));
	memcpy(row.value + DIGEST, name, row.len - (size_t)DIGEST);
	/* Without memory it is told next time. */
	if (tables->put(self, TABLE, &row) == 0)
		nodes->told_ms = relay_now_ms(cx);
}

static void say(struct relay_ctx *cx, struct nodes *nodes)
{
	bool differ = nodes->differ > 0;

	nodes->for_so_long = differ ? nodes->for_so_long + 1 : 0;
	if (differ && !nodes->said && nodes->for_so_long >= PATIENCE)
		relay_log(cx, RELAY_WARNING,
			"%" PRId64 " other nodes have other lists or tokens, "
			"such as %s: a device may be refused at one node and "
			"not at another",
			nodes->differ, nodes->first);
	else if (!differ && nodes->said)
		relay_log(cx, RELAY_NOTICE,
			"all nodes have the same lists and tokens again");
	else
		return;
	nodes->said = differ;
}

void nodes_lists_look(struct relay_ctx *cx,
	const struct relay_shared_tables *tables, struct relay_ctx *self)
{
	struct data *data = cx->data;
	struct nodes *nodes = &data->nodes;
	struct look look = {.nodes = nodes};
	const char *name = tables->name(self);
	bool other = !nodes->known;

	nodes->known = nodes->known || make_digest(data, nodes->digest);
	if (!nodes->known ||
		!SHA256((const unsigned char *)name, strlen(name), look.key))
		return;
	if (other || relay_now_ms(cx) - nodes->told_ms >= TELL_MS)
		tell(cx, tables, self, &look);
	(void)tables->changes(self, TABLE, 0, compare, &look);
	nodes->differ = look.differ;
	say(cx, nodes);
}

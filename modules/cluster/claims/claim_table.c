/* SPDX-License-Identifier: MPL-2.0 */

/* A hash table whose buckets are in the order of the hash. */

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "cluster/claims/claim_table.h"
#include "shared/id_hash.h"

#define BITS_LEAST 6
#define BITS_MOST  24

int claim_table_init(struct claim_table *table)
{
	table->bits = BITS_LEAST;
	table->count = 0;
	table->bucket = calloc((size_t)1 << BITS_LEAST, sizeof(struct claim *));
	return table->bucket && id_hash_init() == 0 ? 0 : -1;
}

void claim_table_finish(struct claim_table *table)
{
	size_t buckets = table->bucket ? (size_t)1 << table->bits : 0;

	for (size_t i = 0; i < buckets; i++)
		while (table->bucket[i])
			claim_table_remove(table, table->bucket[i]);
	free(table->bucket);
	table->bucket = NULL;
}

/* The highest bits: doubling the table then splits each bucket into two
 * neighbours. */
static struct claim **bucket_of(
	const struct claim_table *table, const uint8_t *id)
{
	return &table->bucket[id_hash(id) >> (32 - table->bits)];
}

/* Without memory for that, chains become longer. */
static void grow(struct claim_table *table)
{
	struct claim_table old = *table;
	struct claim **bucket;

	if (table->count >> table->bits == 0 || table->bits == BITS_MOST)
		return;
	bucket = calloc((size_t)2 << old.bits, sizeof(struct claim *));
	if (!bucket)
		return;
	table->bucket = bucket;
	table->bits++;
	for (size_t i = 0; i < (size_t)1 << old.bits; i++)
		while (old.bucket[i]) {
			struct claim *claim = old.bucket[i];

			old.bucket[i] = claim->chain;
			bucket = bucket_of(table, claim->id);
			LL_PREPEND2(*bucket, claim, chain);
		}
	free(old.bucket);
}

struct claim *claim_table_find(
	const struct claim_table *table, const uint8_t *id)
{
	struct claim *claim = *bucket_of(table, id);

	while (claim && memcmp(claim->id, id, REGISTRY_ID) != 0)
		claim = claim->chain;
	return claim;
}

struct claim *claim_table_add(struct claim_table *table, const uint8_t *id)
{
	struct claim *claim = calloc(1, sizeof(*claim));
	struct claim **bucket;

	if (!claim)
		return NULL;
	memcpy(claim->id, id, REGISTRY_ID);
	grow(table);
	bucket = bucket_of(table, id);
	LL_PREPEND2(*bucket, claim, chain);
	table->count++;
	return claim;
}

void claim_table_remove(struct claim_table *table, struct claim *claim)
{
	struct claim **bucket = bucket_of(table, claim->id);

	LL_DELETE2(*bucket, claim, chain);
	table->count--;
	free(claim);
}

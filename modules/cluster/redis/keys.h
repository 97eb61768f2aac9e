/* SPDX-License-Identifier: MPL-2.0 */

/*
 * keys.h - names of keys and channels.  Pure.
 *
 *   st:{NAME}:d:ID       a device: incarnation and epoch of its owner
 *   st:{NAME}:node:HEX   the lease of a node
 *   st:{NAME}:nodes      the incarnations of nodes, some of which are over
 *   st:{NAME}:relay      the ID of the relay
 *   st:{NAME}:rows:TABLE the rows of a shared table, by their keys, and the
 *                        number of the last change as "n"
 *   st:{NAME}:news:TABLE the keys of these rows, by the numbers of changes
 *   st:{NAME}:to:HEX     the channel of a node
 *   st:{NAME}:all        the channel of all nodes
 *
 * ID is 32 bytes, HEX is the incarnation in 16 digits.  What is in the braces
 * alone decides where Redis Cluster keeps a key: all are on one server, and a
 * script may use several.
 */
#ifndef REDIS_KEYS_H
#define REDIS_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

#include "cluster/redis/resp.h"
#include "cluster/registry.h"

#define KEYS_NAME 64 /* the longest name of a cluster */
/* An entry: incarnation, epoch, serial number. */
#define KEYS_ENTRY 24
#define KEYS_HEX   16
#define KEYS_MOST  (KEYS_NAME + 8 + 5 + REGISTRY_ID)

struct key {
	char bytes[KEYS_MOST + 1]; /* terminated; that of a device has zeros */
	size_t len;
};

struct keys {
	struct key prefix;      /* "st:{NAME}:" */
	struct key node_prefix; /* "st:{NAME}:node:" */
	struct key nodes, relay, all;
	struct key node, to_self; /* this process */
	char hex[KEYS_HEX + 1];
};

/* 0, or -1 with err. */
int keys_init(struct keys *keys, const char *name, uint64_t incarnation,
	struct relay_err *err);
struct key keys_device(const struct keys *keys, const uint8_t id[REGISTRY_ID]);
struct key keys_rows(const struct keys *keys, const char *table);
struct key keys_news(const struct keys *keys, const char *table);
struct key keys_to(const struct keys *keys, uint64_t incarnation);

static inline struct resp_part key_part(const struct key *key)
{
	return (struct resp_part){key->bytes, key->len};
}

/* Big-endian. */
void keys_put(uint8_t to[8], uint64_t number);
uint64_t keys_get(const uint8_t from[8]);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * id_hash.h - the hash of device IDs and session keys for uthash's tables.
 *
 * Include it instead of uthash.h.  The hash is seeded, because strangers choose
 * their device IDs and must not be able to cause collisions.
 */
#ifndef ID_HASH_H
#define ID_HASH_H

#include <stdint.h>

#define ID_LEN 32 /* of a device ID and of a session key */

/* Creates the random seed, once, before the first table is used.  0 or -1. */
int id_hash_init(void);
/* Hashes the ID_LEN bytes at id. */
uint32_t id_hash(const void *id);

#define HASH_FUNCTION(key, len, out) ((out) = id_hash(key))
#define HASH_NONFATAL_OOM            1
#include <uthash.h>

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * row_seal.h - a row of a shared table as bytes, with an HMAC-SHA256 over them,
 * the table's name and the key.
 *
 * | byte | what                                                  |
 * |------|-------------------------------------------------------|
 * | 0    | rank, by which the registry compares                  |
 * | 8    | generation of the key of the HMAC                     |
 * | 12   | when it ends, in seconds since 1970; 0: never         |
 * | 20   | value                                                 |
 * | last | the first ROW_TAG bytes of the HMAC                   |
 *
 * Integers are big-endian.  Who has an old row can put it back, and the node
 * that has a newer one replaces it: the rank tells.
 */
#ifndef CLUSTER_ROW_SEAL_H
#define CLUSTER_ROW_SEAL_H

#include <stddef.h>

#include <strelaysrv/shared_table.h>

#define ROW_HEAD    20
#define ROW_TAG     16
#define ROW_MOST    (ROW_HEAD + RELAY_SHARED_VALUE + ROW_TAG)
#define ROW_SECRET  32
#define ROW_SECRETS 3

struct row_seal {
	uint32_t generation;
	/* Of generation - 1, generation, + 1. */
	uint8_t secret[ROW_SECRETS][ROW_SECRET];
};

/* Returns the length, or 0: OpenSSL has no memory, or the value is too long. */
size_t row_close(const struct row_seal *seal, const char *table,
	const struct relay_shared_row *row, uint8_t out[ROW_MOST]);
enum row_fault {
	ROW_GOOD,
	ROW_FORGED, /* it was not written by this cluster */
	ROW_FAILED, /* OpenSSL has no memory, so it was not checked */
};

/* `out->key` is given.  The rest counts with ROW_GOOD. */
enum row_fault row_open(const struct row_seal *seal, const char *table,
	const uint8_t *bytes, size_t len, struct relay_shared_row *out);

#endif

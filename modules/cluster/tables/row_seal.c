/* SPDX-License-Identifier: MPL-2.0 */

/* A row of a shared table as bytes, with an HMAC-SHA256. */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "cluster/redis/keys.h"
#include "cluster/tables/row_seal.h"

#define HMAC_LEN 32

/* Of the name with zeros, the key, and the row; each has one place, so that no
 * two rows have the same bytes. */
static int tag(const uint8_t *secret, const char *table, const uint8_t *key,
	const uint8_t *row, size_t len, uint8_t out[HMAC_LEN])
{
	uint8_t all[RELAY_SHARED_NAME + RELAY_SHARED_KEY + ROW_MOST] = {0};
	uint8_t *at = all + RELAY_SHARED_NAME;
	size_t got = 0;

	memcpy(all, table, strnlen(table, RELAY_SHARED_NAME));
	memcpy(at, key, RELAY_SHARED_KEY);
	memcpy(at + RELAY_SHARED_KEY, row, len);
	return EVP_Q_mac(NULL, "HMAC", NULL, "SHA2-256", NULL, secret,
		       ROW_SECRET, all,
		       RELAY_SHARED_NAME + RELAY_SHARED_KEY + len, out,
		       HMAC_LEN, &got) &&
			       got == HMAC_LEN
		       ? 0
		       : -1;
}

size_t row_close(const struct row_seal *seal, const char *table,
	const struct relay_shared_row *row, uint8_t out[ROW_MOST])
{
	size_t len = ROW_HEAD + (size_t)row->len;
	uint8_t hmac[HMAC_LEN];

	if (row->len > RELAY_SHARED_VALUE)
		return 0;
	keys_put(out, row->rank);
	/* The generation and the beginning of the next number, which
	 * replaces that. */
	keys_put(out + 8, (uint64_t)seal->generation << 32);
	keys_put(out + 12, (uint64_t)row->until_s);
	memcpy(out + ROW_HEAD, row->value, row->len);
	if (tag(seal->secret[1], table, row->key, out, len, hmac) != 0)
		return 0;
	memcpy(out + len, hmac, ROW_TAG);
	return len + ROW_TAG;
}

enum row_fault row_open(const struct row_seal *seal, const char *table,
	const uint8_t *bytes, size_t len, struct relay_shared_row *out)
{
	uint8_t hmac[HMAC_LEN];
	uint32_t which;

	if (len < ROW_HEAD + ROW_TAG || len > ROW_MOST)
		return ROW_FORGED;
	which = (uint32_t)(keys_get(bytes + 8) >> 32) - seal->generation + 1;
	len -= ROW_TAG;
	if (which >= ROW_SECRETS)
		return ROW_FORGED;
	if (tag(seal->secret[which], table, out->key, bytes, len, hmac) != 0)
		return ROW_FAILED;
	if (CRYPTO_memcmp(hmac, bytes + len, ROW_TAG) != 0)
		return ROW_FORGED;
	out->rank = keys_get(bytes);
	out->until_s = (int64_t)keys_get(bytes + 12);
	out->len = (uint8_t)(len - ROW_HEAD);
	memcpy(out->value, bytes + ROW_HEAD, out->len);
	return ROW_GOOD;
}

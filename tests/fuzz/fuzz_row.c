/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes rows of the tables that the nodes of a cluster share, as a Redis gives
 * them.  The first byte of the input has bits: 1: every HMAC is taken for
 * right, so that what is behind it is reached.
 *
 * A row is accepted only with its HMAC, and is written again as the same bytes.
 */

#include <stdbool.h>

#include "cluster/tables/row_seal.h"
#include "fuzz.h"

static bool any_hmac;

int __wrap_CRYPTO_memcmp(const void *a, const void *b, size_t len);
int __wrap_CRYPTO_memcmp(const void *a, const void *b, size_t len)
{
	return any_hmac ? 0 : memcmp(a, b, len);
}

static void check_written(const struct row_seal *seal,
	const struct relay_shared_row *row, const char *bytes, size_t len)
{
	uint8_t again[ROW_MOST];

	FUZZ_CHECK(row->len <= RELAY_SHARED_VALUE);
	FUZZ_CHECK(row_close(seal, "table", row, again) == len);
	/* The generation and the HMAC are this node's. */
	FUZZ_CHECK(memcmp(again, bytes, 8) == 0);
	FUZZ_CHECK(memcmp(again + 12, bytes + 12, len - ROW_TAG - 12) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct row_seal seal = {
		.generation = 7, .secret = {{1}, {2}, {3}}};
	struct relay_shared_row row = {.key = {9}};
	char *bytes;

	if (!size)
		return 0;
	any_hmac = data[0] & 1;
	bytes = fuzz_text(data + 1, size - 1);
	if (row_open(&seal, "table", (const uint8_t *)bytes, size - 1, &row) ==
		0)
		check_written(&seal, &row, bytes, size - 1);
	free(bytes);
	return 0;
}

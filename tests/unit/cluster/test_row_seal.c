/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the bytes of a row of a shared table. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/tables/row_seal.h"

static struct row_seal seal_of(uint32_t generation)
{
	struct row_seal seal = {.generation = generation};

	for (uint32_t i = 0; i < ROW_SECRETS; i++)
		memset(seal.secret[i], (int)(generation + i), ROW_SECRET);
	return seal;
}

static struct relay_shared_row example(uint8_t len)
{
	struct relay_shared_row row = {.rank = UINT64_C(0x0102030405060708),
		.until_s = 1800000000,
		.len = len};

	memset(row.key, 'k', sizeof(row.key));
	memset(row.value, 'v', len);
	return row;
}

static enum row_fault open_as(const struct row_seal *seal, const uint8_t *bytes,
	size_t len, const char *table, struct relay_shared_row *out)
{
	memset(out, 0, sizeof(*out));
	memset(out->key, 'k', sizeof(out->key));
	return row_open(seal, table, bytes, len, out);
}

static void what_was_sealed_is_opened(void **state)
{
	const struct row_seal seal = seal_of(1);
	struct relay_shared_row row, got;
	uint8_t bytes[ROW_MOST];

	(void)state;
	for (uint8_t len = 0; len <= RELAY_SHARED_VALUE; len++) {
		size_t size;

		row = example(len);
		size = row_close(&seal, "bans", &row, bytes);
		assert_int_equal(size, ROW_HEAD + (size_t)len + ROW_TAG);
		/* The registry compares these. */
		assert_memory_equal(bytes, "\1\2\3\4\5\6\7\10", 8);
		assert_int_equal(
			open_as(&seal, bytes, size, "bans", &got), ROW_GOOD);
		assert_memory_equal(&got, &row, sizeof(row));
	}
	row.len = RELAY_SHARED_VALUE + 1;
	assert_int_equal(row_close(&seal, "bans", &row, bytes), 0);
}

static void every_byte_counts(void **state)
{
	const struct row_seal seal = seal_of(1);
	const struct relay_shared_row row = example(9);
	struct relay_shared_row got;
	uint8_t bytes[ROW_MOST + 1] = {0};
	size_t size = row_close(&seal, "bans", &row, bytes);

	(void)state;
	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= 1;
		assert_int_equal(
			open_as(&seal, bytes, size, "bans", &got), ROW_FORGED);
		bytes[i] ^= 1;
	}
	for (size_t len = 0; len <= sizeof(bytes); len++)
		assert_int_equal(open_as(&seal, bytes, len, "bans", &got),
			len == size ? ROW_GOOD : ROW_FORGED);
	assert_int_equal(open_as(&seal, bytes, size, "ban", &got), ROW_FORGED);
	memset(got.key, 'K', sizeof(got.key));
	assert_int_equal(
		row_open(&seal, "bans", bytes, size, &got), ROW_FORGED);
}

static void neighbouring_generations_are_accepted(void **state)
{
	const struct relay_shared_row row = example(9);
	struct relay_shared_row got;
	uint8_t bytes[ROW_MOST];
	const struct row_seal writer = seal_of(10);
	size_t size = row_close(&writer, "bans", &row, bytes);

	(void)state;
	for (uint32_t generation = 7; generation <= 13; generation++) {
		const struct row_seal reader = seal_of(generation);

		assert_int_equal(open_as(&reader, bytes, size, "bans", &got),
			generation >= 9 && generation <= 11 ? ROW_GOOD
							    : ROW_FORGED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_is_opened),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(neighbouring_generations_are_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

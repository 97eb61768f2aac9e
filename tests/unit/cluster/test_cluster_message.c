/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the bodies of messages between nodes: what is written, what is
 * refused, and what a newer version may add. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "examples.h"

/* Offsets in the bodies, by hand. */
#define LEASE_V4    64
#define LEASE_V6    (64 + 19)
#define LEASE_STATE (64 + 38)
#define LEASE_SIZE  (LEASE_STATE + 1 + 4 + 8 + 8 + 4 + 8)
#define ASK_SIZE    (8 + 64 + 19)
#define ANSWER_SIZE (8 + 1 + 38 + 64)
#define CLAIM_SIZE  40

static const size_t sizes[MESSAGE_TYPES] = {0, LEASE_SIZE, 0, 0, ASK_SIZE,
	ANSWER_SIZE, ASK_SIZE, ANSWER_SIZE, CLAIM_SIZE, CLAIM_SIZE};

static size_t written(const struct message *in, uint8_t *out)
{
	size_t len = SIZE_MAX;

	assert_int_equal(message_write(in, out, MESSAGE_MOST, &len), 0);
	return len;
}

/* In a block of its own, so that valgrind and ASan see what is read behind it.
 */
static int read_of(unsigned type, const uint8_t *bytes, size_t len)
{
	struct message out = {.type = (enum message_type)type};
	uint8_t *copy = malloc(len ? len : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	result = message_read(copy, len, &out);
	free(copy);
	return result;
}

static void each_message_round_trips(void **state)
{
	(void)state;
	for (unsigned type = 1; type < MESSAGE_TYPES; type++) {
		struct message in = example((enum message_type)type);
		struct message out = {.type = in.type};
		uint8_t bytes[MESSAGE_MOST], again[MESSAGE_MOST];
		size_t len = written(&in, bytes);

		assert_int_equal(len, sizes[type]);
		assert_int_equal(message_read(bytes, len, &out), 0);
		assert_int_equal(written(&out, again), len);
		assert_memory_equal(bytes, again, len);
	}
}

static void values_come_back(void **state)
{
	struct message in = example(MESSAGE_LEASE), out = {.type = in.type};
	uint8_t bytes[MESSAGE_MOST];

	(void)state;
	assert_int_equal(message_read(bytes, written(&in, bytes), &out), 0);
	assert_string_equal(out.lease.name, "fra-1.example");
	assert_int_equal(out.lease.v4.len, 4);
	assert_int_equal(out.lease.v4.port, 22067);
	assert_int_equal(out.lease.v6.len, 16);
	assert_int_equal(out.lease.v6.port, 22068);
	assert_memory_equal(out.lease.v6.address, in.lease.v6.address, 16);
	assert_int_equal(out.lease.state, NODE_DRAINING);
	assert_int_equal(out.lease.sessions, 0x01020304);
	assert_int_equal(out.lease.rate, 0x0102030405060708);
	assert_int_equal(out.lease.capacity, 0x1112131415161718);
	assert_int_equal(out.lease.lease_ms, 10000);
	assert_int_equal(out.lease.answers, 0x2122232425262728);
}

/* The bytes are those of this version for ever. */
static void integers_are_big_endian(void **state)
{
	static const uint8_t want[] = {
		0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58};
	struct message in = example(MESSAGE_CLAIMED);
	uint8_t bytes[MESSAGE_MOST];

	(void)state;
	assert_int_equal(written(&in, bytes), CLAIM_SIZE);
	assert_memory_equal(bytes + MESSAGE_ID, want, sizeof(want));
	in = example(MESSAGE_LEASE);
	(void)written(&in, bytes);
	assert_int_equal(bytes[LEASE_V4], 4);
	assert_int_equal(bytes[LEASE_V4 + 17], 22067 >> 8);
	assert_int_equal(bytes[LEASE_V4 + 18], 22067 & 255);
}

static void each_truncation_is_malformed(void **state)
{
	(void)state;
	for (unsigned type = 1; type < MESSAGE_TYPES; type++) {
		struct message in = example((enum message_type)type);
		uint8_t bytes[MESSAGE_MOST];
		size_t len = written(&in, bytes);

		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(read_of(type, bytes, cut), -1);
	}
}

static void longer_bodies_are_accepted(void **state)
{
	(void)state;
	for (unsigned type = 1; type < MESSAGE_TYPES; type++) {
		struct message in = example((enum message_type)type);
		struct message out = {.type = in.type};
		uint8_t bytes[MESSAGE_MOST], again[MESSAGE_MOST];
		size_t len;

		memset(bytes, 0xee, sizeof(bytes));
		len = written(&in, bytes);
		assert_int_equal(message_read(bytes, sizeof(bytes), &out), 0);
		assert_int_equal(written(&out, again), len);
		assert_memory_equal(bytes, again, len);
	}
}

static void too_small_a_buffer_is_refused(void **state)
{
	(void)state;
	for (unsigned type = 1; type < MESSAGE_TYPES; type++) {
		struct message in = example((enum message_type)type);
		uint8_t bytes[MESSAGE_MOST];
		size_t len;

		memset(bytes, 0x55, sizeof(bytes));
		if (sizes[type] == 0)
			continue;
		assert_int_equal(
			message_write(&in, bytes, sizes[type] - 1, &len), -1);
		assert_int_equal(bytes[0], 0x55);
		assert_int_equal(
			message_write(&in, bytes, sizes[type], &len), 0);
		assert_int_equal(bytes[sizes[type]], 0x55);
	}
}

static void unknown_types_are_refused(void **state)
{
	static const unsigned types[] = {0, MESSAGE_TYPES, 255, 0x10001};
	uint8_t bytes[MESSAGE_MOST] = {0};
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct message in = {.type = (enum message_type)types[i]};

		assert_false(message_known(types[i]));
		assert_string_equal(message_word(types[i]), "unknown");
		assert_int_equal(read_of(types[i], bytes, sizeof(bytes)), -1);
		assert_int_equal(
			message_write(&in, bytes, sizeof(bytes), &len), -1);
	}
	for (unsigned type = 1; type < MESSAGE_TYPES; type++)
		assert_string_not_equal(message_word(type), "unknown");
}

static void names_are_fit_for_logs(void **state)
{
	struct message in = example(MESSAGE_LEASE);
	uint8_t bytes[MESSAGE_MOST];
	size_t len = written(&in, bytes);
	char name[MESSAGE_NAME + 1];

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		bool fits = c > ' ' && c <= '~' && c != '"' && c != '\'' &&
			    c != '`' && c != '\\';

		/* In the place of a letter; a 0 there leaves bytes behind. */
		bytes[1] = (uint8_t)c;
		assert_int_equal(
			read_of(MESSAGE_LEASE, bytes, len), fits ? 0 : -1);
		if (c == 0)
			continue;
		(void)snprintf(name, sizeof(name), "a%cb", (int)c);
		assert_int_equal(message_name_fits(name), fits);
	}
	memset(name, 'n', MESSAGE_NAME);
	name[MESSAGE_NAME] = '\0';
	assert_false(message_name_fits(name));
	name[MESSAGE_NAME - 1] = '\0';
	assert_true(message_name_fits(name));
	assert_false(message_name_fits(""));
}

static void a_name_ends_within_its_field(void **state)
{
	struct message in = example(MESSAGE_LEASE);
	uint8_t bytes[MESSAGE_MOST];
	size_t len = written(&in, bytes);

	(void)state;
	memset(bytes, 'n', MESSAGE_NAME);
	assert_int_equal(read_of(MESSAGE_LEASE, bytes, len), -1);
	bytes[MESSAGE_NAME - 1] = 0;
	assert_int_equal(read_of(MESSAGE_LEASE, bytes, len), 0);
	memset(bytes, 0, MESSAGE_NAME);
	assert_int_equal(read_of(MESSAGE_LEASE, bytes, len), -1);
	memset(in.lease.name, 'n', MESSAGE_NAME);
	assert_int_equal(message_write(&in, bytes, sizeof(bytes), &len), -1);
}

/* One byte of the body of a valid message is another one. */
struct change {
	unsigned type;
	size_t at;
	uint8_t value;
	int result;
};

static void wrong_values_are_malformed(void **state)
{
	static const struct change changes[] = {
		{MESSAGE_LEASE, LEASE_STATE, NODE_STATES - 1, 0},
		{MESSAGE_LEASE, LEASE_STATE, NODE_STATES, -1},
		{MESSAGE_LEASE, LEASE_STATE, 255, -1},
		{MESSAGE_LEASE, LEASE_V4, 5, -1},
		{MESSAGE_LEASE, LEASE_V4, 16, -1},
		{MESSAGE_LEASE, LEASE_V4, 0, -1},
		{MESSAGE_LEASE, LEASE_V4, 255, -1},
		/* Behind an IPv4 address. */
		{MESSAGE_LEASE, LEASE_V4 + 1 + 4, 1, -1},
		{MESSAGE_LEASE, LEASE_V4 + 1 + 15, 1, -1},
		{MESSAGE_LEASE, LEASE_V6, 4, -1},
		{MESSAGE_LEASE, LEASE_V6, 0, -1},
		{MESSAGE_LEASE, LEASE_V6 + 1 + 15, 1, 0},
		/* Behind a name. */
		{MESSAGE_LEASE, MESSAGE_NAME - 1, 1, -1},
		{MESSAGE_ASK, 8 + 64, 16, 0},
		{MESSAGE_ASK, 8 + 64, 17, -1},
		{MESSAGE_ASK, 8 + 64 + 18, 1, 0},
		{MESSAGE_ANSWER, 8, ANSWER_ENDS - 1, 0},
		{MESSAGE_ANSWER, 8, ANSWER_ENDS, -1},
		{MESSAGE_PREPARED, 8, 255, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change *change = &changes[i];
		struct message in = example((enum message_type)change->type);
		uint8_t bytes[MESSAGE_MOST];
		size_t len = written(&in, bytes);

		bytes[change->at] = change->value;
		if (read_of(change->type, bytes, len) != change->result)
			fail_msg("change %zu", i);
	}
}

static void what_would_be_malformed_is_not_written(void **state)
{
	struct message wrong[] = {example(MESSAGE_LEASE),
		example(MESSAGE_LEASE), example(MESSAGE_LEASE),
		example(MESSAGE_LEASE), example(MESSAGE_LEASE),
		example(MESSAGE_ANSWER), example(MESSAGE_ANSWER),
		example(MESSAGE_ASK), example(MESSAGE_LEASE)};
	uint8_t bytes[MESSAGE_MOST];
	size_t len;

	(void)state;
	wrong[0].lease.name[0] = '\n';
	wrong[1].lease.state = NODE_STATES;
	wrong[2].lease.v4.len = 16;
	wrong[3].lease.v6.port = 0;
	wrong[8].lease.v4.port = 0;
	wrong[4].lease.v4.len = 0; /* with a port */
	wrong[5].answer.end = (enum answer_end)(256 + ANSWER_FULL);
	wrong[6].answer.v4 = wrong[6].answer.v6 = (struct message_place){0};
	wrong[7].ask.from.len = 200;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (message_write(&wrong[i], bytes, sizeof(bytes), &len) != -1)
			fail_msg("message %zu", i);
	wrong[6].answer.end = ANSWER_ABSENT;
	assert_int_equal(
		message_write(&wrong[6], bytes, sizeof(bytes), &len), 0);
}

/* What the caller has left in unused bytes does not go out. */
static void unused_bytes_are_written_as_0(void **state)
{
	struct message in = example(MESSAGE_LEASE), dirty = in;
	uint8_t bytes[MESSAGE_MOST], again[MESSAGE_MOST];
	size_t len = written(&in, bytes);

	(void)state;
	dirty.lease.name[MESSAGE_NAME - 1] = 'x';
	dirty.lease.v4.address[9] = 9;
	assert_int_equal(written(&dirty, again), len);
	assert_memory_equal(bytes, again, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_round_trips),
		cmocka_unit_test(values_come_back),
		cmocka_unit_test(integers_are_big_endian),
		cmocka_unit_test(each_truncation_is_malformed),
		cmocka_unit_test(longer_bodies_are_accepted),
		cmocka_unit_test(too_small_a_buffer_is_refused),
		cmocka_unit_test(unknown_types_are_refused),
		cmocka_unit_test(names_are_fit_for_logs),
		cmocka_unit_test(a_name_ends_within_its_field),
		cmocka_unit_test(wrong_values_are_malformed),
		cmocka_unit_test(what_would_be_malformed_is_not_written),
		cmocka_unit_test(unused_bytes_are_written_as_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

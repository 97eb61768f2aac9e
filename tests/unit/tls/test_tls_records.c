/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the record layer: the traces of RFC 8448, and each rule of RFC 8446
 * by its alert. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tls/tls_records.h"

#define AES_128 0x1301
#define AES_256 0x1302
#define CHACHA  0x1303
#define ROOM    (TLS_RECORD_DATA + 512)

static struct tls_record_algorithms all;

/* The two sides of a connection: `them` seals what `us` opens. */
struct sides {
	struct tls_records us, them;
};

static size_t unhex(const char *text, uint8_t *out)
{
	size_t len = 0;

	for (; *text; text++) {
		unsigned digit = *text <= '9' ? (unsigned)(*text - '0')
					      : (unsigned)(*text - 'a') + 10;

		if (*text == ' ')
			continue;
		out[len / 2] = (uint8_t)(out[len / 2] << 4 | digit);
		len++;
	}
	return len / 2;
}

static struct sides connected(uint16_t id)
{
	struct sides sides;

	memset(&sides, 0, sizeof(sides));
	memset(sides.us.reads.secret, 7, TLS_RECORD_SECRET);
	memset(sides.us.writes.secret, 9, TLS_RECORD_SECRET);
	sides.us.reads.secret_len = sides.us.writes.secret_len =
		id == AES_256 ? 48 : 32;
	sides.them = sides.us;
	sides.them.reads = sides.us.writes;
	sides.them.writes = sides.us.reads;
	assert_int_equal(tls_records_begin(&all, &sides.us, id), 0);
	assert_int_equal(tls_records_begin(&all, &sides.them, id), 0);
	return sides;
}

/* A record as the peer sends it: anything may be inside. */
static size_t seal(struct tls_records *from, unsigned type, const void *data,
	size_t len, uint8_t *out)
{
	return tls_record_seal(&all, (enum tls_record_suite)from->suite,
		&from->writes, (enum tls_record_type)type, data, len, out);
}

/* What becomes of one record. */
struct outcome {
	enum tls_records_got got;
	size_t len;
	enum tls_record_alert alert;
};

static struct outcome open_record(struct tls_records *at, uint8_t *record)
{
	struct outcome outcome = {.got = TLS_RECORDS_BAD};
	size_t body = tls_record_body_len(record, &outcome.alert);

	if (body)
		outcome.got = tls_records_open(
			&all, at, record, body, &outcome.len, &outcome.alert);
	return outcome;
}

static struct outcome sent(
	struct sides *sides, unsigned type, const void *data, size_t len)
{
	uint8_t record[ROOM + TLS_RECORD_MORE];

	assert_int_equal(seal(&sides->them, type, data, len, record),
		len + TLS_RECORD_MORE);
	return open_record(&sides->us, record);
}

static void is_refused(struct outcome outcome, enum tls_record_alert alert)
{
	assert_int_equal(outcome.got, TLS_RECORDS_BAD);
	assert_int_equal(outcome.alert, alert);
}

/* Section 3 of RFC 8448. */
#define CLIENT_SECRET                                                          \
	"9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"
#define SERVER_SECRET                                                          \
	"a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"

/* Of another connection; nothing depends on it. */
#define RANDOM                                                                 \
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct tls_records traced(void)
{
	struct tls_records server = {.suite = 0};

	tls_records_note(
		&server, "CLIENT_TRAFFIC_SECRET_0 " RANDOM " " CLIENT_SECRET);
	tls_records_note(
		&server, "SERVER_TRAFFIC_SECRET_0 " RANDOM " " SERVER_SECRET);
	assert_int_equal(tls_records_begin(&all, &server, AES_128), 0);
	return server;
}

static void is_hex(const uint8_t *got, const char *want, size_t len)
{
	uint8_t bytes[256];

	assert_int_equal(unhex(want, bytes), len);
	assert_memory_equal(got, bytes, len);
}

static void keys_are_those_of_the_traces(void **state)
{
	struct tls_records server = traced();

	(void)state;
	is_hex(server.reads.key, "17422dda596ed5d9acd890e3c63f5051", 16);
	is_hex(server.reads.iv, "5b78923dee08579033e523d9", 12);
	is_hex(server.writes.key, "9f02283b6c9c07efc26bb9f2ac92e356", 16);
	is_hex(server.writes.iv, "cf782b88dd83549aadf1e984", 12);
}

static void records_of_the_traces_are_read(void **state)
{
	struct tls_records server = traced();
	struct outcome outcome;
	uint8_t record[128];

	(void)state;
	unhex("17030300 43 a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bc"
	      "ab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd"
	      "1e3deae63aeebb21694915e4",
		record);
	outcome = open_record(&server, record);
	assert_int_equal(outcome.got, TLS_RECORDS_DATA);
	assert_int_equal(outcome.len, 50);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(record[TLS_RECORD_HEADER + i], i);
	unhex("17030300 13 c9872760655666b74d7ff1153efd6db6d0b0e3", record);
	assert_int_equal(open_record(&server, record).got, TLS_RECORDS_CLOSED);
}

static void records_of_the_traces_are_written(void **state)
{
	struct tls_records server = traced();
	uint8_t data[50], out[50 + TLS_RECORDS_MORE];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	server.writes.next = 1; /* the first was a ticket */
	assert_int_equal(
		tls_records_seal(&all, &server, data, sizeof(data), out), 72);
	is_hex(out,
		"17030300 43 2e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa"
		"1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0a21c0047c2"
		"abf332540dd032e167c2955d",
		72);
	assert_int_equal(tls_records_seal_alert(
				 &all, &server, TLS_ALERT_CLOSE_NOTIFY, out),
		24);
	is_hex(out, "17030300 13 b58fd67166ebf599d24720cfbe7efa7a8864a9", 24);
}

static void each_suite_passes_data_of_any_length(void **state)
{
	static const uint16_t ids[] = {AES_128, AES_256, CHACHA};
	static const size_t lens[] = {0, 1, 63, 1000, TLS_RECORD_DATA};
	static uint8_t data[TLS_RECORD_DATA];
	uint8_t record[TLS_RECORD_DATA + TLS_RECORDS_MORE];

	(void)state;
	memset(data, 'd', sizeof(data));
	for (size_t i = 0; i < 15; i++) {
		struct sides sides = connected(ids[i / 5]);
		size_t len = lens[i % 5];
		struct outcome outcome;

		assert_int_equal(
			tls_records_seal(&all, &sides.them, data, len, record),
			len + TLS_RECORD_MORE);
		outcome = open_record(&sides.us, record);
		assert_int_equal(outcome.got, TLS_RECORDS_DATA);
		assert_int_equal(outcome.len, len);
		assert_memory_equal(record + TLS_RECORD_HEADER, data, len);
	}
}

static void padding_of_any_length_is_dropped(void **state)
{
	struct sides sides = connected(AES_256);
	uint8_t inner[ROOM] = {'a', 'b', TLS_RECORD_IS_DATA};
	const size_t lens[] = {3, 4, 300, TLS_RECORD_DATA + 255 - 16};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct outcome outcome = sent(&sides, 0, inner, lens[i]);

		assert_int_equal(outcome.got, TLS_RECORDS_DATA);
		assert_int_equal(outcome.len, 2);
	}
}

static void headers_are_checked(void **state)
{
	static const struct {
		uint8_t header[TLS_RECORD_HEADER];
		enum tls_record_alert alert;
	} rows[] = {
		{{20, 3, 3, 0, 1}, TLS_ALERT_UNEXPECTED_MESSAGE},
		{{21, 3, 3, 0, 2}, TLS_ALERT_UNEXPECTED_MESSAGE},
		{{22, 3, 3, 0, 40}, TLS_ALERT_UNEXPECTED_MESSAGE},
		{{24, 3, 3, 0, 40}, TLS_ALERT_UNEXPECTED_MESSAGE},
		{{23, 3, 1, 0, 40}, TLS_ALERT_DECODE_ERROR},
		{{23, 3, 3, 0x41, 1}, TLS_ALERT_RECORD_OVERFLOW},
		{{23, 3, 3, 0xff, 0xff}, TLS_ALERT_RECORD_OVERFLOW},
		{{23, 3, 3, 0, 0}, TLS_ALERT_BAD_RECORD_MAC},
		{{23, 3, 3, 0, 16}, TLS_ALERT_BAD_RECORD_MAC},
	};
	enum tls_record_alert alert;
	uint8_t good[] = {23, 3, 3, 0x41, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			tls_record_body_len(rows[i].header, &alert), 0);
		assert_int_equal(alert, rows[i].alert);
	}
	assert_int_equal(tls_record_body_len(good, &alert), TLS_RECORD_BODY);
	memcpy(good + 3, "\0\x11", 2);
	assert_int_equal(tls_record_body_len(good, &alert), 17);
}

static void what_is_inside_is_checked(void **state)
{
	static const uint8_t zeros[40], much[ROOM];
	struct sides sides = connected(CHACHA);

	(void)state;
	is_refused(sent(&sides, 0, zeros, sizeof(zeros)),
		TLS_ALERT_UNEXPECTED_MESSAGE);
	for (unsigned type = 1; type < 256; type++)
		if (type < TLS_RECORD_IS_ALERT || type > TLS_RECORD_IS_DATA)
			is_refused(sent(&sides, type, "ab", 2),
				TLS_ALERT_UNEXPECTED_MESSAGE);
	is_refused(sent(&sides, TLS_RECORD_IS_ALERT, NULL, 0),
		TLS_ALERT_UNEXPECTED_MESSAGE);
	is_refused(sent(&sides, TLS_RECORD_IS_HANDSHAKE, NULL, 0),
		TLS_ALERT_UNEXPECTED_MESSAGE);
	is_refused(sent(&sides, TLS_RECORD_IS_DATA, much, TLS_RECORD_DATA + 1),
		TLS_ALERT_RECORD_OVERFLOW);
	assert_int_equal(sent(&sides, TLS_RECORD_IS_DATA, "ab", 2).got,
		TLS_RECORDS_DATA);
}

static void each_flipped_bit_is_noticed(void **state)
{
	uint8_t record[64], copy[64], zeros[64] = {0};

	(void)state;
	for (unsigned bit = 40; bit < 8 * (5 + 6 + TLS_RECORD_TAG); bit++) {
		struct sides sides = connected(AES_128);
		size_t len = seal(
			&sides.them, TLS_RECORD_IS_DATA, "hello", 5, record);

		memcpy(copy, record, len);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		is_refused(
			open_record(&sides.us, copy), TLS_ALERT_BAD_RECORD_MAC);
		/* Nothing of it stays. */
		assert_memory_equal(copy + 5, zeros, len - 5);
	}
}

static void a_record_counts_once_and_in_its_order(void **state)
{
	struct sides sides = connected(AES_128);
	uint8_t first[64], again[64], second[64];
	size_t len = seal(&sides.them, TLS_RECORD_IS_DATA, "a", 1, first);

	(void)state;
	memcpy(again, first, len);
	seal(&sides.them, TLS_RECORD_IS_DATA, "b", 1, second);
	assert_int_equal(open_record(&sides.us, first).got, TLS_RECORDS_DATA);
	is_refused(open_record(&sides.us, again), TLS_ALERT_BAD_RECORD_MAC);
	/* Its number is used up: the connection cannot go on. */
	is_refused(open_record(&sides.us, second), TLS_ALERT_BAD_RECORD_MAC);
}

static void alerts_are_told_apart(void **state)
{
	struct sides sides = connected(AES_128);

	(void)state;
	for (unsigned level = 0; level < 4; level++)
		for (unsigned what = 0; what < 256; what++) {
			uint8_t alert[] = {(uint8_t)level, (uint8_t)what};
			enum tls_records_got want = TLS_RECORDS_ALERTED;

			if (what == TLS_ALERT_CLOSE_NOTIFY)
				want = TLS_RECORDS_CLOSED;
			if (what == TLS_ALERT_USER_CANCELED)
				want = TLS_RECORDS_NOTHING;
			assert_int_equal(
				sent(&sides, TLS_RECORD_IS_ALERT, alert, 2).got,
				want);
		}
	is_refused(sent(&sides, TLS_RECORD_IS_ALERT, "\2", 1),
		TLS_ALERT_DECODE_ERROR);
	is_refused(sent(&sides, TLS_RECORD_IS_ALERT, "\1\0\1\0", 4),
		TLS_ALERT_DECODE_ERROR);
}

/* Key updates. */

static const uint8_t silent[] = {24, 0, 0, 1, 0}, asking[] = {24, 0, 0, 1, 1};

static struct outcome updated(struct sides *sides, const uint8_t bytes[5])
{
	struct outcome outcome = sent(sides, TLS_RECORD_IS_HANDSHAKE, bytes, 5);

	assert_int_equal(tls_record_keys_update(&all,
				 (enum tls_record_suite)sides->them.suite,
				 &sides->them.writes),
		0);
	return outcome;
}

static void the_peer_may_change_its_key(void **state)
{
	static const uint16_t ids[] = {AES_128, AES_256, CHACHA};

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		struct sides sides = connected(ids[i / 3]);
		struct tls_record_keys before = sides.us.reads;

		assert_int_equal(
			updated(&sides, silent).got, TLS_RECORDS_NOTHING);
		assert_false(sides.us.answers);
		assert_int_equal(sides.us.reads.next, 0);
		assert_memory_not_equal(before.secret, sides.us.reads.secret,
			TLS_RECORD_SECRET);
		assert_memory_not_equal(
			before.key, sides.us.reads.key, TLS_RECORD_KEY);
		assert_memory_not_equal(
			before.iv, sides.us.reads.iv, TLS_RECORD_IV);
		assert_int_equal(sent(&sides, TLS_RECORD_IS_DATA, "a", 1).got,
			TLS_RECORDS_DATA);
	}
}

static void reads_answer(struct sides *sides, uint8_t *out, size_t len)
{
	size_t update = TLS_RECORDS_UPDATE + TLS_RECORD_MORE;
	struct outcome outcome = open_record(&sides->them, out);

	assert_int_equal(len, update + 5 + TLS_RECORD_MORE);
	assert_int_equal(outcome.got, TLS_RECORDS_NOTHING);
	assert_false(sides->them.answers); /* it does not ask in turn */
	outcome = open_record(&sides->them, out + update);
	assert_int_equal(outcome.got, TLS_RECORDS_DATA);
	assert_int_equal(outcome.len, 5);
}

static void a_peer_that_asks_gets_one_answer(void **state)
{
	struct sides sides = connected(AES_256);
	uint8_t out[5 + TLS_RECORDS_MORE];

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			updated(&sides, asking).got, TLS_RECORDS_NOTHING);
		assert_true(sides.us.answers);
	}
	reads_answer(&sides, out,
		tls_records_seal(
			&all, &sides.us, (const uint8_t *)"hello", 5, out));
	assert_int_equal(tls_records_seal(&all, &sides.us,
				 (const uint8_t *)"hello", 5, out),
		5 + TLS_RECORD_MORE);
}

static void a_key_has_a_limit(void **state)
{
	struct sides sides = connected(AES_128);
	uint8_t out[5 + TLS_RECORDS_MORE];

	(void)state;
	sides.us.writes.next = sides.them.reads.next = TLS_RECORDS_LIMIT - 1;
	assert_int_equal(tls_records_seal(&all, &sides.us,
				 (const uint8_t *)"hello", 5, out),
		5 + TLS_RECORD_MORE);
	assert_int_equal(open_record(&sides.them, out).got, TLS_RECORDS_DATA);
	reads_answer(&sides, out,
		tls_records_seal(
			&all, &sides.us, (const uint8_t *)"hello", 5, out));
	assert_int_equal(sides.us.writes.next, 1);
}

static void numbers_do_not_begin_again(void **state)
{
	struct sides sides = connected(AES_128);
	uint8_t record[64];

	(void)state;
	sides.them.writes.next = sides.us.reads.next = UINT64_MAX - 1;
	assert_int_equal(
		sent(&sides, TLS_RECORD_IS_DATA, "a", 1).got, TLS_RECORDS_DATA);
	assert_int_equal(
		seal(&sides.them, TLS_RECORD_IS_DATA, "a", 1, record), 0);
	memcpy(record, "\x17\3\3\0\x20", 5);
	is_refused(open_record(&sides.us, record), TLS_ALERT_INTERNAL_ERROR);
}

static void a_key_update_may_come_in_pieces(void **state)
{
	(void)state;
	for (size_t cut = 1; cut < 5; cut++) {
		struct sides sides = connected(AES_128);

		assert_int_equal(
			sent(&sides, TLS_RECORD_IS_HANDSHAKE, silent, cut).got,
			TLS_RECORDS_NOTHING);
		assert_int_equal(sent(&sides, TLS_RECORD_IS_HANDSHAKE,
					 silent + cut, 5 - cut)
					 .got,
			TLS_RECORDS_NOTHING);
		assert_int_equal(sides.us.reads.next, 0);
	}
}

static void nothing_comes_between_its_pieces(void **state)
{
	static const struct {
		unsigned type;
		const char *bytes;
		size_t len;
	} rows[] = {{TLS_RECORD_IS_DATA, "a", 1}, {TLS_RECORD_IS_DATA, "", 0},
		{TLS_RECORD_IS_ALERT, "\1\0", 2}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct sides sides = connected(AES_128);

		assert_int_equal(
			sent(&sides, TLS_RECORD_IS_HANDSHAKE, silent, 2).got,
			TLS_RECORDS_NOTHING);
		is_refused(
			sent(&sides, rows[i].type, rows[i].bytes, rows[i].len),
			TLS_ALERT_UNEXPECTED_MESSAGE);
	}
}

static void other_messages_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum tls_record_alert alert;
	} rows[] = {
		{"\1\0\0\1\0", 5, TLS_ALERT_UNEXPECTED_MESSAGE},
		{"\4\0\0\1\0", 5, TLS_ALERT_UNEXPECTED_MESSAGE},
		{"\x14\0\0\x20", 4, TLS_ALERT_UNEXPECTED_MESSAGE},
		{"\x18\0\0\0", 4, TLS_ALERT_DECODE_ERROR},
		{"\x18\0\0\2\0\0", 6, TLS_ALERT_DECODE_ERROR},
		{"\x18\1\0\1\0", 5, TLS_ALERT_DECODE_ERROR},
		{"\x18\0\0\1\2", 5, TLS_ALERT_ILLEGAL_PARAMETER},
		{"\x18\0\0\1\xff", 5, TLS_ALERT_ILLEGAL_PARAMETER},
		{"\x18\0\0\1\0\x18", 6, TLS_ALERT_UNEXPECTED_MESSAGE},
		{"\x18\0\0\1\0\x18\0\0\1\0", 10, TLS_ALERT_UNEXPECTED_MESSAGE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sides sides = connected(AES_128);

		is_refused(sent(&sides, TLS_RECORD_IS_HANDSHAKE, rows[i].bytes,
				   rows[i].len),
			rows[i].alert);
	}
}

static void other_lines_are_no_secrets(void **state)
{
	static const char *const lines[] = {"", "x",
		"CLIENT_HANDSHAKE_TRAFFIC_SECRET " RANDOM " " CLIENT_SECRET,
		"SERVER_HANDSHAKE_TRAFFIC_SECRET " RANDOM " " CLIENT_SECRET,
		"EXPORTER_SECRET " RANDOM " " CLIENT_SECRET,
		"CLIENT_RANDOM " RANDOM " " CLIENT_SECRET,
		"CLIENT_TRAFFIC_SECRET_0", "CLIENT_TRAFFIC_SECRET_0 ",
		"CLIENT_TRAFFIC_SECRET_0 " RANDOM " ",
		"CLIENT_TRAFFIC_SECRET_0 " RANDOM " 0g",
		"SERVER_TRAFFIC_SECRET_0 " RANDOM " 0",
		"SERVER_TRAFFIC_SECRET_0 " RANDOM
		" " CLIENT_SECRET SERVER_SECRET,
		"SERVER_TRAFFIC_SECRET_1 " RANDOM " " CLIENT_SECRET};
	struct tls_records records = {.suite = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		tls_records_note(&records, lines[i]);
		assert_int_equal(records.reads.secret_len, 0);
		assert_int_equal(records.writes.secret_len, 0);
	}
}

static void it_begins_only_with_both_secrets_and_a_known_suite(void **state)
{
	struct tls_records records = traced();
	struct tls_record_algorithms none = {.kdf = NULL};

	(void)state;
	assert_int_equal(tls_records_begin(&all, &records, AES_128), 0);
	assert_int_equal(tls_records_begin(&all, &records, AES_256), -1);
	assert_int_equal(tls_records_begin(&all, &records, 0x1304), -1);
	assert_int_equal(tls_records_begin(&none, &records, AES_128), -1);
	records.reads.secret_len = 0;
	assert_int_equal(tls_records_begin(&all, &records, AES_128), -1);
	records.reads.secret_len = 32;
	records.writes.secret_len = 0;
	assert_int_equal(tls_records_begin(&all, &records, AES_128), -1);
}

static int set_up(void **state)
{
	(void)state;
	return tls_record_algorithms_init(&all, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	tls_record_algorithms_finish(&all);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_those_of_the_traces),
		cmocka_unit_test(records_of_the_traces_are_read),
		cmocka_unit_test(records_of_the_traces_are_written),
		cmocka_unit_test(each_suite_passes_data_of_any_length),
		cmocka_unit_test(padding_of_any_length_is_dropped),
		cmocka_unit_test(headers_are_checked),
		cmocka_unit_test(what_is_inside_is_checked),
		cmocka_unit_test(each_flipped_bit_is_noticed),
		cmocka_unit_test(a_record_counts_once_and_in_its_order),
		cmocka_unit_test(alerts_are_told_apart),
		cmocka_unit_test(the_peer_may_change_its_key),
		cmocka_unit_test(a_peer_that_asks_gets_one_answer),
		cmocka_unit_test(a_key_has_a_limit),
		cmocka_unit_test(numbers_do_not_begin_again),
		cmocka_unit_test(a_key_update_may_come_in_pieces),
		cmocka_unit_test(nothing_comes_between_its_pieces),
		cmocka_unit_test(other_messages_are_refused),
		cmocka_unit_test(other_lines_are_no_secrets),
		cmocka_unit_test(
			it_begins_only_with_both_secrets_and_a_known_suite),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes the record layer.  An input is a list of records, each with a head of
 * four bytes: what is done with it, its type, its length and its padding.  It
 * is sealed with the connection's keys, so that what is inside it is read, too.
 */

#include <stdbool.h>

#include "fuzz.h"
#include "tls/tls_records.h"

#define HEAD    4
#define LONGEST 600

/* What is done with a record: the low bits of its first byte. */
enum { SEND, FLIP, HEADER, REPEAT, WRITE, ACTS };

struct fuzz {
	struct tls_records us, peer;
	uint8_t record[LONGEST + TLS_RECORD_MORE];
	size_t len; /* of the record; 0: none was made yet */
	bool forged;
};

static struct tls_record_algorithms all;

static void begin(struct fuzz *fuzz, uint8_t choice)
{
	static const uint16_t ids[] = {0x1301, 0x1302, 0x1303};
	uint16_t id = ids[choice % 3];

	memset(fuzz, 0, sizeof(*fuzz));
	fuzz->us.reads.secret_len = id == 0x1302 ? 48 : 32;
	fuzz->us.writes.secret_len = fuzz->us.reads.secret_len;
	memset(fuzz->us.writes.secret, 1, TLS_RECORD_SECRET);
	fuzz->peer = fuzz->us;
	fuzz->peer.reads = fuzz->us.writes;
	fuzz->peer.writes = fuzz->us.reads;
	FUZZ_CHECK(tls_records_begin(&all, &fuzz->us, id) == 0);
	FUZZ_CHECK(tls_records_begin(&all, &fuzz->peer, id) == 0);
}

/* Seals bytes with padding, and changes the peer's key after a key update. */
static void make(struct fuzz *fuzz, const uint8_t *head, const uint8_t *bytes,
	size_t len)
{
	uint8_t inner[LONGEST] = {0};
	size_t padding = head[3];
	uint8_t type = head[1];

	memcpy(inner, bytes, len);
	if (padding) {
		inner[len] = type;
		len += padding;
		type = 0;
	}
	fuzz->len = tls_record_seal(&all, (enum tls_record_suite)fuzz->us.suite,
		&fuzz->peer.writes, (enum tls_record_type)type, inner, len,
		fuzz->record);
	FUZZ_CHECK(fuzz->len == len + TLS_RECORD_MORE);
	fuzz->forged = false;
}

static void change(struct fuzz *fuzz, unsigned act, uint8_t with)
{
	if (!with || !fuzz->len)
		return;
	if (act == FLIP)
		fuzz->record[TLS_RECORD_HEADER +
			     with % (fuzz->len - TLS_RECORD_HEADER)] ^= with;
	else if (act == HEADER)
		fuzz->record[with % TLS_RECORD_HEADER] ^= with;
	else
		return;
	fuzz->forged = true;
}

static bool is_sent(enum tls_record_alert alert)
{
	return alert == TLS_ALERT_UNEXPECTED_MESSAGE ||
	       alert == TLS_ALERT_BAD_RECORD_MAC ||
	       alert == TLS_ALERT_RECORD_OVERFLOW ||
	       alert == TLS_ALERT_ILLEGAL_PARAMETER ||
	       alert == TLS_ALERT_DECODE_ERROR;
}

/* Returns whether the connection goes on. */
static bool receive(
	struct fuzz *fuzz, uint8_t type, const uint8_t *bytes, size_t len)
{
	/* A block of its own, so that out-of-bounds accesses are detected. */
	uint8_t *record = malloc(fuzz->len);
	enum tls_record_alert alert = TLS_ALERT_INTERNAL_ERROR;
	enum tls_records_got got = TLS_RECORDS_BAD;
	size_t data = 0, body;
	uint64_t before = fuzz->us.reads.next;

	FUZZ_CHECK(record);
	memcpy(record, fuzz->record, fuzz->len);
	body = tls_record_body_len(record, &alert);
	/* A length that is another now would wait for more bytes. */
	if (body && body + TLS_RECORD_HEADER <= fuzz->len)
		got = tls_records_open(
			&all, &fuzz->us, record, body, &data, &alert);
	else if (body)
		alert = TLS_ALERT_BAD_RECORD_MAC;
	FUZZ_CHECK(got == TLS_RECORDS_BAD || !fuzz->forged);
	FUZZ_CHECK(got != TLS_RECORDS_BAD || is_sent(alert));
	if (got == TLS_RECORDS_DATA) {
		/* A type of 0 is padding, too: the bytes have the type. */
		FUZZ_CHECK(type ? type == TLS_RECORD_IS_DATA && data == len
				: data < len);
		FUZZ_CHECK(
			memcmp(record + TLS_RECORD_HEADER, bytes, data) == 0);
		FUZZ_CHECK(fuzz->us.reads.next == before + 1);
	}
	if (got == TLS_RECORDS_NOTHING && fuzz->us.reads.next == 0)
		FUZZ_CHECK(tls_record_keys_update(&all,
				   (enum tls_record_suite)fuzz->us.suite,
				   &fuzz->peer.writes) == 0);
	free(record);
	/* What comes again, or later, has another number. */
	fuzz->forged = true;
	return got == TLS_RECORDS_DATA || got == TLS_RECORDS_NOTHING;
}

/* The other direction: what is written is what the peer reads. */
static void write_back(struct fuzz *fuzz, const uint8_t *bytes, size_t len)
{
	uint8_t out[LONGEST + TLS_RECORDS_MORE];
	enum tls_record_alert alert;
	bool answers = fuzz->us.answers;
	size_t at = 0, data = 0;
	size_t sealed = tls_records_seal(&all, &fuzz->us, bytes, len, out);

	FUZZ_CHECK(sealed && !fuzz->us.answers);
	if (answers) {
		size_t body = tls_record_body_len(out, &alert);

		FUZZ_CHECK(tls_records_open(&all, &fuzz->peer, out, body, &data,
				   &alert) == TLS_RECORDS_NOTHING);
		at = TLS_RECORD_HEADER + body;
	}
	FUZZ_CHECK(sealed - at == len + TLS_RECORD_MORE);
	FUZZ_CHECK(tls_records_open(&all, &fuzz->peer, out + at,
			   sealed - at - TLS_RECORD_HEADER, &data,
			   &alert) == TLS_RECORDS_DATA);
	FUZZ_CHECK(data == len &&
		   memcmp(out + at + TLS_RECORD_HEADER, bytes, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz;
	char *text = fuzz_text(data, size);
	bool open = size > 0;

	if (!all.kdf)
		FUZZ_CHECK(tls_record_algorithms_init(&all, NULL) == 0);
	begin(&fuzz, size ? *data : 0);
	for (size_t at = 1; open && at + HEAD <= size;) {
		const uint8_t *head = data + at, *bytes = head + HEAD;
		unsigned act = head[0] % ACTS;
		size_t len = head[2];

		if (len > size - at - HEAD)
			len = size - at - HEAD;
		at += HEAD + len;
		if (act == WRITE) {
			write_back(&fuzz, bytes, len);
			continue;
		}
		if (act != REPEAT)
			make(&fuzz, head, bytes, len);
		change(&fuzz, act, head[0] / ACTS);
		if (fuzz.len)
			open = receive(&fuzz, head[1], bytes, len);
	}
	memset(&fuzz.us, 0, sizeof(fuzz.us));
	tls_records_note(&fuzz.us, text);
	FUZZ_CHECK(fuzz.us.reads.secret_len <= TLS_RECORD_SECRET);
	free(text);
	return 0;
}

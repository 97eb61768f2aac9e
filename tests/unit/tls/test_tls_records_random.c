/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Random streams of records for the server's own record layer and for
 * OpenSSL's: both must read the same data, come to the same end and send the
 * same alert.
 *
 *     test_tls_records_random [-n STREAMS] [-seed SEED]
 *
 * Each stream has a connection of its own, with new keys.  In half of them
 * OpenSSL writes, and in half of them records are made that OpenSSL never
 * writes.  Then the record layer writes, and OpenSSL's client reads.  The seed
 * is printed; the same seed makes the same streams, but for the keys.
 */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "tls/tls_records.h"

#define STREAMS  2500
#define STEPS    10 /* the most of a stream */
#define TURNS    8
#define RECORD   (TLS_RECORD_HEADER + TLS_RECORD_BODY)
#define WIRE     ((size_t)STEPS * (RECORD + 64))
#define ODD      400 /* bytes after it in a damaged stream */
#define HARMLESS 4   /* of user_canceled; OpenSSL bears that many in a row */

enum end { OPEN, CLOSED, ALERTED, BAD };

/* What a side has read. */
struct reading {
	enum end end;
	unsigned alert; /* BAD: the alert that it sends */
	unsigned again; /* reads without new bytes */
	size_t len;
	uint8_t data[WIRE];
};

static struct tls_record_algorithms all;
static SSL_CTX *serving, *asking;
static uint64_t seed, drawn;
static unsigned long streams = STREAMS, number, ends[BAD + 1], late;
static uint8_t wire[WIRE + ODD], text[TLS_RECORD_DATA + 1];
static size_t wired;
static struct reading ours, theirs;

/* SplitMix64. */
static uint64_t draw(void)
{
	uint64_t z = drawn += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static size_t below(size_t bound)
{
	return draw() % bound;
}

/* Mostly short, seldom the longest, seldom none. */
static size_t length(void)
{
	switch (below(16)) {
	case 0:
		return 0;
	case 1:
		return TLS_RECORD_DATA;
	case 2:
		return below(TLS_RECORD_DATA + 1);
	default:
		return 1 + below(60);
	}
}

/* Connections, by a key that both know, since that takes the least time. */

static SSL_SESSION *shared_key(SSL *ssl, uint16_t id)
{
	static const unsigned char key[48] = "shared";
	const unsigned char wanted[] = {(uint8_t)(id >> 8), (uint8_t)id};
	SSL_SESSION *session = SSL_SESSION_new();

	assert_non_null(session);
	assert_int_equal(SSL_SESSION_set1_master_key(
				 session, key, id == 0x1302 ? 48 : 32),
		1);
	assert_int_equal(
		SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, wanted)),
		1);
	assert_int_equal(
		SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION), 1);
	return session;
}

static uint16_t suite_now;

static int find_key(
	SSL *ssl, const unsigned char *name, size_t len, SSL_SESSION **session)
{
	(void)name;
	(void)len;
	*session = shared_key(ssl, suite_now);
	return 1;
}

static int use_key(SSL *ssl, const EVP_MD *hash, const unsigned char **name,
	size_t *len, SSL_SESSION **session)
{
	(void)hash;
	*name = (const unsigned char *)"name";
	*len = 4;
	*session = shared_key(ssl, suite_now);
	return 1;
}

static void note(const SSL *ssl, const char *line)
{
	tls_records_note(SSL_get_app_data(ssl), line);
}

static SSL_CTX *context(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION), 1);
	assert_int_equal(SSL_CTX_set_num_tickets(ctx, 0), 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_psk_find_session_callback(ctx, find_key);
	SSL_CTX_set_psk_use_session_callback(ctx, use_key);
	return ctx;
}

struct trio {
	SSL *client, *server;
	struct tls_records us;   /* beside the server */
	struct tls_records peer; /* beside the client */
};

static SSL *side(SSL_CTX *ctx, BIO *bio)
{
	SSL *ssl = SSL_new(ctx);

	assert_non_null(ssl);
	SSL_set_bio(ssl, bio, bio);
	return ssl;
}

static size_t pad(SSL *ssl, int type, size_t len, void *arg)
{
	size_t room = TLS_RECORD_DATA -
		      (len < TLS_RECORD_DATA ? len : TLS_RECORD_DATA);

	(void)ssl;
	(void)type;
	(void)arg;
	return below(3) ? 0 : below(room < 100 ? room + 1 : 100);
}

static void meet(struct trio *trio)
{
	static const uint16_t ids[] = {0x1301, 0x1302, 0x1303};
	static const char *const names[] = {"TLS_AES_128_GCM_SHA256",
		"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"};
	size_t chosen = below(3);
	BIO *a, *b;

	memset(trio, 0, sizeof(*trio));
	suite_now = ids[chosen];
	assert_int_equal(BIO_new_bio_pair(&a, WIRE + ODD, &b, WIRE + ODD), 1);
	trio->server = side(serving, a);
	trio->client = side(asking, b);
	assert_int_equal(SSL_set_ciphersuites(trio->client, names[chosen]), 1);
	SSL_set_accept_state(trio->server);
	SSL_set_connect_state(trio->client);
	SSL_set_app_data(trio->server, &trio->us);
	for (int i = 0;
		i < TURNS && (!SSL_is_init_finished(trio->client) ||
				     !SSL_is_init_finished(trio->server));
		i++) {
		(void)SSL_do_handshake(trio->client);
		(void)SSL_do_handshake(trio->server);
	}
	assert_true(SSL_is_init_finished(trio->server));
	assert_true(SSL_is_init_finished(trio->client));
	assert_false(SSL_has_pending(trio->server));
	trio->peer = trio->us;
	trio->peer.reads = trio->us.writes;
	trio->peer.writes = trio->us.reads;
	assert_int_equal(tls_records_begin(&all, &trio->us, suite_now), 0);
	assert_int_equal(tls_records_begin(&all, &trio->peer, suite_now), 0);
	SSL_set_record_padding_callback(trio->client, pad);
}

/* Streams that OpenSSL's client writes. */

static void take_wire(SSL *writer_peer)
{
	int got = BIO_read(SSL_get_rbio(writer_peer), wire, WIRE);

	wired = got > 0 ? (size_t)got : 0;
}

static void by_openssl(struct trio *trio)
{
	size_t steps = 1 + below(STEPS);

	for (size_t i = 0; i < steps; i++) {
		size_t put, len = length();

		if (below(4) == 0)
			(void)SSL_key_update(trio->client,
				below(2) ? SSL_KEY_UPDATE_REQUESTED
					 : SSL_KEY_UPDATE_NOT_REQUESTED);
		if (len)
			assert_int_equal(
				SSL_write_ex(trio->client, text, len, &put), 1);
		if (below(30) == 0)
			break;
	}
	if (below(4) == 0)
		(void)SSL_shutdown(trio->client);
	take_wire(trio->server);
}

/* Streams of records that OpenSSL would not write. */

static void add(struct trio *trio, unsigned type, const void *bytes, size_t len)
{
	uint8_t inner[TLS_RECORD_BODY];
	size_t padding = below(3) ? 0 : 1 + below(100), sealed;

	memcpy(inner, bytes, len);
	if (padding && len + padding <= TLS_RECORD_DATA + 230) {
		inner[len] = (uint8_t)type;
		memset(inner + len + 1, 0, padding - 1);
		len += padding;
		type = 0;
	}
	sealed = tls_record_seal(&all, (enum tls_record_suite)trio->peer.suite,
		&trio->peer.writes, (enum tls_record_type)type, inner, len,
		wire + wired);
	assert_int_equal(sealed, len + TLS_RECORD_MORE);
	wired += sealed;
}

static void add_update(struct trio *trio)
{
	uint8_t bytes[12] = {24, 0, 0, 1, (uint8_t)below(2), 24, 0, 0, 1, 0};
	size_t cut = below(3) ? 0 : below(5);

	if (below(40) == 0)
		bytes[below(5)] = (uint8_t)below(4);
	if (cut)
		add(trio, TLS_RECORD_IS_HANDSHAKE, bytes, cut);
	if (below(40) == 0)
		add(trio, TLS_RECORD_IS_DATA, text, below(3));
	add(trio, TLS_RECORD_IS_HANDSHAKE, bytes + cut,
		5 - cut + (below(40) ? 0 : 1 + below(5)));
	assert_int_equal(tls_record_keys_update(&all,
				 (enum tls_record_suite)trio->peer.suite,
				 &trio->peer.writes),
		0);
}

static void add_alert(struct trio *trio, unsigned *harmless)
{
	uint8_t alert[3] = {(uint8_t)below(4), 0, 0};
	size_t len = below(20) ? 2 : below(4);

	switch (below(3)) {
	case 0:
		alert[1] = (uint8_t)below(256);
		break;
	case 1:
		alert[1] = TLS_ALERT_USER_CANCELED;
		break;
	default:
		break;
	}
	if (alert[1] == TLS_ALERT_USER_CANCELED && (*harmless)++ >= HARMLESS)
		return;
	add(trio, TLS_RECORD_IS_ALERT, alert, len);
}

static void damage(void)
{
	size_t at = below(wired);

	switch (below(5)) {
	case 0:
		wire[at] ^= (uint8_t)(1 << below(8));
		break;
	case 1: /* cut */
		wired = at;
		break;
	case 2: /* bytes twice */
		at = below(wired < ODD ? wired : ODD);
		memmove(wire + wired, wire, at);
		wired += at;
		break;
	case 3: /* bytes less */
		memmove(wire + at, wire + at + 1, wired - at - 1);
		wired--;
		break;
	default: /* a header */
		wire[below(TLS_RECORD_HEADER)] = (uint8_t)draw();
		break;
	}
}

static void by_hand(struct trio *trio)
{
	size_t steps = 1 + below(STEPS);
	unsigned harmless = 0;

	wired = 0;
	for (size_t i = 0; i < steps && wired < WIRE - 4 * RECORD; i++) {
		size_t kind = below(20);

		if (kind < 4)
			add_update(trio);
		else if (kind == 4)
			add_alert(trio, &harmless);
		else if (kind == 5 && below(3) == 0)
			add(trio, (unsigned)below(256), text, below(70));
		else if (kind == 6 && below(4) == 0)
			add(trio, TLS_RECORD_IS_DATA, text,
				TLS_RECORD_DATA + below(2));
		else
			add(trio, TLS_RECORD_IS_DATA, text, length());
	}
	if (below(3) == 0 && wired > 1)
		damage();
}

/* Reading. */

static void keep(struct reading *to, const uint8_t *data, size_t len)
{
	assert_true(len <= sizeof(to->data) - to->len);
	memcpy(to->data + to->len, data, len);
	to->len += len;
}

static void read_ours(struct tls_records *records, struct reading *to)
{
	uint8_t record[RECORD];
	enum tls_record_alert alert = 0;
	size_t at = 0, len = 0;

	to->end = OPEN;
	to->len = 0;
	while (to->end == OPEN && wired - at >= TLS_RECORD_HEADER) {
		size_t body = tls_record_body_len(wire + at, &alert);
		enum tls_records_got got = TLS_RECORDS_BAD;

		if (body > wired - at - TLS_RECORD_HEADER)
			break;
		memcpy(record, wire + at, TLS_RECORD_HEADER + body);
		at += TLS_RECORD_HEADER + body;
		if (body)
			got = tls_records_open(
				&all, records, record, body, &len, &alert);
		if (got == TLS_RECORDS_DATA)
			keep(to, record + TLS_RECORD_HEADER, len);
		else if (got != TLS_RECORDS_NOTHING)
			to->end = got == TLS_RECORDS_CLOSED    ? CLOSED
				  : got == TLS_RECORDS_ALERTED ? ALERTED
							       : BAD;
	}
	to->alert = to->end == BAD ? (unsigned)alert : 0;
}

/* The alert that the server has sent, if it has sent one. */
static unsigned alert_of(struct trio *trio)
{
	uint8_t record[RECORD];
	enum tls_record_alert alert;
	size_t len = 0;
	BIO *from = SSL_get_rbio(trio->client);

	while (BIO_read(from, record, TLS_RECORD_HEADER) == TLS_RECORD_HEADER) {
		size_t body = tls_record_body_len(record, &alert);

		assert_true(body > 0);
		assert_int_equal(
			BIO_read(from, record + TLS_RECORD_HEADER, (int)body),
			body);
		switch (tls_records_open(
			&all, &trio->peer, record, body, &len, &alert)) {
		case TLS_RECORDS_NOTHING:
			break;
		case TLS_RECORDS_ALERTED:
			return record[TLS_RECORD_HEADER + 1];
		default:
			fail_msg("the server has sent something else");
		}
	}
	return 0;
}

static bool read_some(SSL *ssl, struct reading *to)
{
	uint8_t data[RECORD];
	size_t got;

	ERR_clear_error();
	if (SSL_read_ex(ssl, data, 1 + below(sizeof(data)), &got) == 1) {
		keep(to, data, got);
		return true;
	}
	switch (SSL_get_error(ssl, 0)) {
	case SSL_ERROR_WANT_READ:
		/* After a record without data there may be more; and OpenSSL
		 * answers a key update before it reads the next one. */
		return BIO_pending(SSL_get_rbio(ssl)) > 0 ||
		       (SSL_has_pending(ssl) && to->again++ < TURNS);
	case SSL_ERROR_ZERO_RETURN:
	case SSL_ERROR_SYSCALL: /* a close_notify of the level "fatal" */
		assert_true(SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN);
		to->end = CLOSED;
		break;
	default:
		to->end =
			ERR_GET_REASON(ERR_peek_error()) > SSL_AD_REASON_OFFSET
				? ALERTED
				: BAD;
	}
	return false;
}

static void read_theirs(struct trio *trio, struct reading *to)
{
	size_t at = 0;

	to->end = OPEN;
	to->len = 0;
	while (at < wired && to->end == OPEN) {
		size_t len =
			below(2) ? 1 + below(wired - at)
				 : 1 + below(wired - at < 40 ? wired - at : 40);

		if (wired > 3000 && len < 100)
			len = wired - at < 1000 ? wired - at : 1000;
		assert_int_equal(BIO_write(SSL_get_wbio(trio->client),
					 wire + at, (int)len),
			len);
		at += len;
		to->again = 0;
		while (to->end == OPEN && read_some(trio->server, to))
			;
	}
	to->alert = to->end == BAD ? alert_of(trio) : 0;
}

/* RFC 8446, 6.2, calls a wrong length or version a decode_error, for which
 * OpenSSL has other alerts, too. */
static bool alike(unsigned mine, unsigned of_openssl)
{
	return mine == of_openssl ||
	       (mine == TLS_ALERT_DECODE_ERROR &&
		       (of_openssl == TLS_ALERT_ILLEGAL_PARAMETER ||
			       of_openssl == TLS_ALERT_UNEXPECTED_MESSAGE ||
			       of_openssl == SSL_AD_PROTOCOL_VERSION));
}

/* While OpenSSL owes an answer to a key update, it puts the next message aside,
 * and judges it when another whole record has come.  Here none comes, or one
 * that is refused itself, since its key is that of the message's update. */
static bool is_late(const struct trio *trio)
{
	if (ours.end != BAD || ours.alert == TLS_ALERT_BAD_RECORD_MAC)
		return false;
	return theirs.end == OPEN ? SSL_has_pending(trio->server)
				  : theirs.alert == TLS_ALERT_BAD_RECORD_MAC;
}

/* Writing: OpenSSL's client reads. */

static void write_back(struct trio *trio)
{
	uint8_t out[TLS_RECORD_DATA + TLS_RECORDS_MORE];
	uint8_t got[TLS_RECORD_DATA];
	size_t read, len = length();
	size_t sealed = tls_records_seal(&all, &trio->us, text, len, out);
	int done = 0;

	assert_true(sealed > 0);
	assert_int_equal(
		BIO_write(SSL_get_wbio(trio->server), out, (int)sealed),
		sealed);
	for (int i = 0; i < TURNS && len && !done; i++)
		done = SSL_read_ex(trio->client, got, sizeof(got), &read);
	if (len) {
		assert_int_equal(done, 1);
		assert_int_equal(read, len);
		assert_memory_equal(got, text, len);
	}
}

static void close_back(struct trio *trio)
{
	uint8_t out[TLS_RECORDS_ALERT], got[1];
	size_t read;
	int done = 0, why = SSL_ERROR_WANT_READ;

	assert_int_equal(tls_records_seal_alert(
				 &all, &trio->us, TLS_ALERT_CLOSE_NOTIFY, out),
		sizeof(out));
	assert_int_equal(
		BIO_write(SSL_get_wbio(trio->server), out, sizeof(out)),
		sizeof(out));
	for (int i = 0; i < TURNS && why == SSL_ERROR_WANT_READ; i++) {
		done = SSL_read_ex(trio->client, got, 1, &read);
		why = SSL_get_error(trio->client, done);
	}
	assert_int_equal(why, SSL_ERROR_ZERO_RETURN);
}

static void drop_output(SSL *reader)
{
	uint8_t waste[256];

	while (BIO_read(SSL_get_rbio(reader), waste, sizeof(waste)) > 0)
		;
}

static void try_stream(void)
{
	struct trio trio;

	drawn = seed ^ number * 0x2545f4914f6cdd1d;
	meet(&trio);
	if (below(2))
		by_openssl(&trio);
	else
		by_hand(&trio);
	read_ours(&trio.us, &ours);
	read_theirs(&trio, &theirs);
	if (is_late(&trio))
		late++;
	else if (ours.end != theirs.end || !alike(ours.alert, theirs.alert))
		fail_msg("stream %lu of seed %" PRIu64
			 ": ended as %d with alert %u, OpenSSL as %d with %u",
			number, seed, ours.end, ours.alert, theirs.end,
			theirs.alert);
	assert_int_equal(ours.len, theirs.len);
	assert_memory_equal(ours.data, theirs.data, ours.len);
	ends[ours.end]++;
	if (ours.end == OPEN || ours.end == CLOSED) {
		/* What OpenSSL's server has written is not for the client. */
		drop_output(trio.client);
		for (size_t i = below(4); i > 0; i--)
			write_back(&trio);
		close_back(&trio);
	}
	SSL_free(trio.client);
	SSL_free(trio.server);
}

static void both_read_the_same(void **state)
{
	(void)state;
	for (number = 0; number < streams; number++)
		try_stream();
	print_message("seed %" PRIu64 ": %lu open, %lu closed, %lu ended by an "
		      "alert, %lu refused, %lu of them later by OpenSSL\n",
		seed, ends[OPEN], ends[CLOSED], ends[ALERTED], ends[BAD], late);
	assert_true(late <= 1 + streams / 10000);
	/* The streams are of every kind. */
	for (size_t i = 0; streams >= STREAMS && i <= BAD; i++)
		assert_true(ends[i] > streams / 100);
}

static int set_up(void **state)
{
	(void)state;
	serving = context(TLS_server_method());
	asking = context(TLS_client_method());
	SSL_CTX_set_keylog_callback(serving, note);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + 1);
	return tls_record_algorithms_init(&all, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	SSL_CTX_free(serving);
	SSL_CTX_free(asking);
	tls_record_algorithms_finish(&all);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_read_the_same),
	};

	if (RAND_bytes((unsigned char *)&seed, sizeof(seed)) != 1)
		return EXIT_FAILURE;
	for (int at = 1; at + 1 < argc; at += 2) {
		if (strcmp(argv[at], "-n") == 0)
			streams = strtoul(argv[at + 1], NULL, 10);
		else if (strcmp(argv[at], "-seed") == 0)
			seed = strtoull(argv[at + 1], NULL, 10);
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

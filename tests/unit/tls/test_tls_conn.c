/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Tests of connections that are detached from OpenSSL after the handshake, over
 * pairs of sockets with OpenSSL's client at the other end.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/instance.h"
#include "tls/identity.h"
#include "tls/tls.h"
#include "tls/tls_conn.h"
#include "tls/tls_provider.h"
#include "tls/tls_record.h"
#include "tls/tls_state.h"

#define STEPS   20
#define LONGEST 16384
/* Of a connection after its handshake, with what malloc() adds. */
#define HELD_MOST 700

static const char *const suites[] = {"TLS_AES_128_GCM_SHA256",
	"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"};

static struct identity identity;
static OSSL_LIB_CTX *lean;
static BIO *io;
/* What clients ask for (RFC 6066, 4): the most data of a record. */
static uint8_t fragments = TLSEXT_max_fragment_length_DISABLED;

/* Bytes that OpenSSL's allocator gives, and the next one that fails. */
static size_t held;
static long fails_at; /* 0: none */

union block {
	size_t len;
	max_align_t aligned;
};

static void *take(size_t len, const char *file, int line)
{
	union block *block;

	(void)file;
	(void)line;
	if (fails_at > 0 && --fails_at == 0)
		return NULL;
	block = malloc(sizeof(*block) + len);
	if (!block)
		return NULL;
	block->len = len;
	held += len + 16;
	return block + 1;
}

static void give(void *at, const char *file, int line)
{
	union block *block = at;

	(void)file;
	(void)line;
	if (!block)
		return;
	held -= block[-1].len + 16;
	free(block - 1);
}

static void *resize(void *at, size_t len, const char *file, int line)
{
	void *to = take(len, file, line);
	size_t before = at ? ((union block *)at)[-1].len : 0;

	if (!to)
		return NULL;
	if (at)
		memcpy(to, at, before < len ? before : len);
	give(at, file, line);
	return to;
}

struct sides {
	struct tls_conn *server;
	SSL *client;
	int fd, client_fd;
	uint8_t id[32];
};

static SSL_CTX *client_context(int version, const char *suite)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_use_certificate(ctx, identity.cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, identity.key), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	if (suite)
		assert_int_equal(SSL_CTX_set_ciphersuites(ctx, suite), 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	assert_int_equal(
		SSL_CTX_set_tlsext_max_fragment_length(ctx, fragments), 1);
	return ctx;
}

static struct sides connected_as(int version, const char *suite)
{
	SSL_CTX *ctx = client_context(version, suite);
	struct sides sides = {
		.server = tls_conn_accept(io), .client = SSL_new(ctx)};
	enum tls_handshake done = TLS_HANDSHAKE_WAITS;
	int fds[2], error;

	assert_non_null(sides.server);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	sides.fd = fds[0];
	sides.client_fd = fds[1];
	assert_int_equal(SSL_set_fd(sides.client, sides.client_fd), 1);
	SSL_set_connect_state(sides.client);
	for (int i = 0; i < STEPS && done == TLS_HANDSHAKE_WAITS; i++) {
		(void)SSL_do_handshake(sides.client);
		done = tls_conn_handshake(sides.server, sides.fd, &error);
	}
	assert_int_equal(done, TLS_HANDSHAKE_DONE);
	assert_int_equal(SSL_do_handshake(sides.client), 1);
	SSL_CTX_free(ctx);
	return sides;
}

static struct sides connected(const char *suite)
{
	struct sides sides = connected_as(TLS1_3_VERSION, suite);

	assert_int_equal(tls_conn_take_peer(sides.server, sides.id), 1);
	assert_true(tls_conn_is_detached(sides.server));
	return sides;
}

static void end(struct sides *sides)
{
	tls_conn_free(sides->server);
	SSL_free(sides->client);
	(void)close(sides->fd);
	(void)close(sides->client_fd);
	ERR_clear_error();
}

static void server_reads(struct sides *sides, const void *want, size_t len)
{
	uint8_t got[LONGEST];
	size_t part, have = 0;

	for (size_t i = 0; i < LONGEST && have < len; i++) {
		enum tls_result result = tls_conn_read(sides->server, sides->fd,
			got + have, sizeof(got) - have, &part);

		if (result == TLS_DONE)
			have += part;
		else
			assert_int_equal(result, TLS_DATALESS);
	}
	assert_int_equal(have, len);
	assert_memory_equal(got, want, len);
}

static enum tls_result reads(struct sides *sides)
{
	uint8_t got[16];
	size_t len;

	return tls_conn_read(sides->server, sides->fd, got, sizeof(got), &len);
}

static void server_writes(struct sides *sides, const void *data, size_t len)
{
	size_t put;

	assert_int_equal(
		tls_conn_write(sides->server, sides->fd, data, len, &put),
		TLS_DONE);
	assert_int_equal(put, len);
}

/* OpenSSL sends one record at a time. */
static void server_writes_all(
	struct sides *sides, const uint8_t *data, size_t len)
{
	size_t put, sent = 0;

	while (sent < len) {
		assert_int_equal(tls_conn_write(sides->server, sides->fd,
					 data + sent, len - sent, &put),
			TLS_DONE);
		sent += put;
	}
}

static void client_reads(struct sides *sides, const void *want, size_t len)
{
	uint8_t got[LONGEST];
	size_t part, have = 0;

	while (have < len) {
		assert_int_equal(SSL_read_ex(sides->client, got + have,
					 sizeof(got) - have, &part),
			1);
		have += part;
	}
	assert_memory_equal(got, want, len);
}

static void client_writes(struct sides *sides, const void *data, size_t len)
{
	size_t put;

	assert_int_equal(SSL_write_ex(sides->client, data, len, &put), 1);
	assert_int_equal(put, len);
}

static void talk(struct sides *sides)
{
	for (int i = 0; i < 3; i++) {
		client_writes(sides, "hello", 5);
		server_reads(sides, "hello", 5);
		server_writes(sides, "world", 5);
		client_reads(sides, "world", 5);
	}
	assert_int_equal(reads(sides), TLS_AGAIN);
}

static void each_suite_talks(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct sides sides = connected(suites[i]);

		talk(&sides);
		end(&sides);
	}
}

static void what_the_peer_sends_at_once_is_read(void **state)
{
	struct sides sides = connected_as(TLS1_3_VERSION, NULL);

	(void)state;
	client_writes(&sides, "early", 5);
	assert_int_equal(tls_conn_take_peer(sides.server, sides.id), 1);
	server_reads(&sides, "early", 5);
	talk(&sides);
	end(&sides);
}

static void tls_1_2_stays_with_openssl(void **state)
{
	struct sides sides = connected_as(TLS1_2_VERSION, NULL);

	(void)state;
	assert_int_equal(tls_conn_take_peer(sides.server, sides.id), 1);
	assert_false(tls_conn_is_detached(sides.server));
	talk(&sides);
	tls_conn_close(sides.server, sides.fd);
	assert_int_equal(SSL_read(sides.client, sides.id, 1), 0);
	assert_int_equal(SSL_get_error(sides.client, 0), SSL_ERROR_ZERO_RETURN);
	end(&sides);
}

static void who_asks_for_short_records_gets_them(void **state)
{
	static const uint8_t data[2048];
	const uint8_t modes[] = {TLSEXT_max_fragment_length_512,
		TLSEXT_max_fragment_length_1024,
		TLSEXT_max_fragment_length_2048,
		TLSEXT_max_fragment_length_4096};

	(void)state;
	for (size_t i = 0; i < sizeof(modes); i++) {
		struct sides sides;

		fragments = modes[i];
		sides = connected_as(TLS1_3_VERSION, NULL);
		fragments = TLSEXT_max_fragment_length_DISABLED;
		assert_int_equal(tls_conn_take_peer(sides.server, sides.id), 1);
		server_writes_all(&sides, data, sizeof(data));
		client_reads(&sides, data, sizeof(data));
		talk(&sides);
		end(&sides);
	}
}

static void little_is_held(void **state)
{
	struct sides sides = connected(NULL);
	size_t before, client;

	(void)state;
	talk(&sides);
	before = held;
	tls_conn_free(sides.server);
	client = held;
	sides.server = NULL;
	assert_in_range(before - client, 100, HELD_MOST);
	end(&sides);
}

static void keys_are_renewed_by_the_client(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct sides sides = connected(suites[i / 2]);

		for (int j = 0; j < 5; j++) {
			assert_int_equal(
				SSL_key_update(sides.client,
					i % 2 ? SSL_KEY_UPDATE_REQUESTED
					      : SSL_KEY_UPDATE_NOT_REQUESTED),
				1);
			talk(&sides);
		}
		end(&sides);
	}
}

static void long_data_passes_in_both_directions(void **state)
{
	static uint8_t data[LONGEST];
	struct sides sides = connected(NULL);
	uint8_t got[100];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i % 251);
	client_writes(&sides, data, sizeof(data));
	/* Less is taken than a record has. */
	for (size_t at = 0; at < sizeof(data); at += len) {
		assert_int_equal(tls_conn_read(sides.server, sides.fd, got,
					 sizeof(got), &len),
			TLS_DONE);
		assert_memory_equal(got, data + at, len);
	}
	assert_int_equal(reads(&sides), TLS_AGAIN);
	server_writes(&sides, data, sizeof(data));
	client_reads(&sides, data, sizeof(data));
	talk(&sides);
	end(&sides);
}

/* What the client has written, taken from its socket. */
static size_t wire_of(struct sides *sides, const void *data, size_t len,
	uint8_t *wire, size_t room)
{
	ssize_t got;

	client_writes(sides, data, len);
	got = recv(sides->fd, wire, room, 0);
	assert_true(got > 0);
	return (size_t)got;
}

static void arrive(struct sides *sides, const uint8_t *bytes, size_t len)
{
	assert_int_equal(send(sides->client_fd, bytes, len, 0), len);
}

static void a_record_may_come_in_any_pieces(void **state)
{
	struct sides sides = connected(NULL);
	uint8_t wire[200];
	size_t len = 5 + TLS_RECORD_MORE;

	(void)state;
	for (size_t cut = 1; cut < len; cut++) {
		assert_int_equal(
			wire_of(&sides, "hello", 5, wire, sizeof(wire)), len);
		arrive(&sides, wire, cut);
		assert_int_equal(reads(&sides), TLS_AGAIN);
		assert_int_equal(reads(&sides), TLS_AGAIN);
		arrive(&sides, wire + cut, len - cut);
		server_reads(&sides, "hello", 5);
	}
	assert_int_equal(wire_of(&sides, "hello", 5, wire, sizeof(wire)), len);
	for (size_t at = 0; at < len; at++) {
		assert_int_equal(reads(&sides), TLS_AGAIN);
		arrive(&sides, wire + at, 1);
	}
	server_reads(&sides, "hello", 5);
	talk(&sides);
	end(&sides);
}

static void many_records_may_come_at_once(void **state)
{
	struct sides sides = connected(NULL);

	(void)state;
	for (int i = 0; i < 20; i++)
		client_writes(&sides, "hello", 5);
	for (int i = 0; i < 20; i++)
		server_reads(&sides, "hello", 5);
	end(&sides);
}

/* Sends until the socket is full; then what was not sent is repeated. */
static void what_the_socket_does_not_take_is_sent_later(void **state)
{
	static uint8_t data[LONGEST];
	struct sides sides = connected(NULL);
	size_t sent = 0, read = 0, put, len;
	uint8_t got[LONGEST];
	unsigned full = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i % 249);
	while (sent < 4000000) {
		size_t at = sent % 249;
		enum tls_result result = tls_conn_write(sides.server, sides.fd,
			data + at, sizeof(data) - at, &put);

		if (result == TLS_DONE) {
			sent += put;
			continue;
		}
		assert_int_equal(result, TLS_AGAIN);
		full++;
		while (SSL_read_ex(sides.client, got, sizeof(got), &len) == 1) {
			for (size_t i = 0; i < len; i++)
				assert_int_equal(got[i], (read + i) % 249);
			read += len;
		}
	}
	assert_true(full > 5);
	end(&sides);
}

static void the_end_is_told_apart(void **state)
{
	struct sides sides = connected(NULL);

	(void)state;
	assert_int_equal(SSL_shutdown(sides.client), 0);
	assert_int_equal(reads(&sides), TLS_NOTIFIED);
	tls_conn_close(sides.server, sides.fd);
	assert_int_equal(SSL_shutdown(sides.client), 1); /* the answer */
	end(&sides);

	sides = connected(NULL);
	assert_int_equal(shutdown(sides.client_fd, SHUT_WR), 0);
	assert_int_equal(reads(&sides), TLS_EOF);
	end(&sides);

	sides = connected(NULL);
	arrive(&sides,
		(const uint8_t *)"\x17\3\3\0\x20"
				 "abc",
		8);
	assert_int_equal(shutdown(sides.client_fd, SHUT_WR), 0);
	assert_int_equal(reads(&sides), TLS_EOF);
	end(&sides);
}

/* The alert that the client has got. */
static int alert_for(const void *bytes, size_t len)
{
	struct sides sides = connected(NULL);
	uint8_t got[1];
	int reason;

	arrive(&sides, bytes, len);
	assert_int_equal(reads(&sides), TLS_BROKEN);
	/* Nothing more is read or sent, not even a second alert. */
	assert_int_equal(reads(&sides), TLS_BROKEN);
	tls_conn_close(sides.server, sides.fd);
	ERR_clear_error();
	assert_true(SSL_read(sides.client, got, 1) <= 0);
	reason = ERR_GET_REASON(ERR_peek_error());
	assert_int_equal(recv(sides.client_fd, got, 1, 0), -1);
	end(&sides);
	return reason - SSL_AD_REASON_OFFSET;
}

static void who_misbehaves_gets_an_alert(void **state)
{
	(void)state;
	assert_int_equal(alert_for("\x17\3\3\0\x14"
				   "junkjunkjunkjunkjunk",
				 25),
		SSL_AD_BAD_RECORD_MAC);
	assert_int_equal(
		alert_for("\x16\3\3\0\x14", 5), SSL_AD_UNEXPECTED_MESSAGE);
	assert_int_equal(
		alert_for("\x17\3\3\x50\x14", 5), SSL_AD_RECORD_OVERFLOW);
	assert_int_equal(alert_for("\x17\3\1\0\x14", 5), SSL_AD_DECODE_ERROR);
}

static void a_reset_is_noticed(void **state)
{
	struct sides sides = connected(NULL);
	size_t put;

	(void)state;
	(void)close(sides.client_fd);
	assert_int_equal(tls_conn_write(sides.server, sides.fd, "a", 1, &put),
		TLS_RESET);
	sides.client_fd = -1;
	end(&sides);
}

/* Whatever allocation fails, the connection ends or goes on; it never says that
 * it has sent or read what it has not. */
static void talk_without_memory(long which, bool *failed)
{
	struct sides sides = connected(NULL);
	uint8_t wire[200], got[3];
	size_t len, put;
	enum tls_result result;

	assert_int_equal(
		SSL_key_update(sides.client, SSL_KEY_UPDATE_REQUESTED), 1);
	len = wire_of(&sides, "hello", 5, wire, sizeof(wire));
	arrive(&sides, wire, len - 4); /* the last record is incomplete */
	fails_at = which;
	result = tls_conn_read(sides.server, sides.fd, got, 3, &put);
	if (result == TLS_DATALESS)
		result = tls_conn_read(sides.server, sides.fd, got, 3, &put);
	if (result == TLS_AGAIN) {
		long left = fails_at;

		fails_at = 0;
		arrive(&sides, wire + len - 4, 4);
		fails_at = left;
		result = tls_conn_read(sides.server, sides.fd, got, 3, &put);
	}
	if (result == TLS_DONE) {
		assert_memory_equal(got, "hel", 3);
		result = tls_conn_write(
			sides.server, sides.fd, "world", 5, &put);
	}
	*failed = fails_at == 0;
	fails_at = 0;
	if (result == TLS_DONE)
		client_reads(&sides, "world", 5);
	else
		assert_int_equal(result, TLS_BROKEN);
	assert_true(*failed || result == TLS_DONE);
	end(&sides);
}

static void every_allocation_may_fail(void **state)
{
	bool failed = true;
	long which = 0;

	(void)state;
	while (failed) {
		assert_true(++which < 1000);
		talk_without_memory(which, &failed);
	}
	assert_true(which > 10);
}

/* A handshake's end without memory: OpenSSL goes on. */
static void without_memory_it_is_not_detached(void **state)
{
	bool detached = false;

	(void)state;
	for (long which = 1; !detached; which++) {
		struct sides sides = connected_as(TLS1_3_VERSION, NULL);

		assert_true(which < 1000);
		fails_at = which;
		(void)tls_conn_take_peer(sides.server, sides.id);
		detached = fails_at > 0;
		fails_at = 0;
		assert_true(!detached || tls_conn_is_detached(sides.server));
		talk(&sides);
		end(&sides);
	}
}

static void it_is_not_detached_before_that_is_begun(void **state)
{
	struct tls_contexts *tls = &instance->tls->contexts;
	struct tls_record_algorithms before = tls->records;
	struct sides sides;

	(void)state;
	tls->records = (struct tls_record_algorithms){.kdf = NULL};
	sides = connected_as(TLS1_3_VERSION, NULL);
	assert_int_equal(tls_conn_take_peer(sides.server, sides.id), 1);
	assert_false(tls_conn_is_detached(sides.server));
	talk(&sides);
	end(&sides);
	tls->records = before;
}

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *cert = X509_new();

	assert_non_null(cert);
	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	return cert;
}

static int set_up(void **state)
{
	struct relay_err err = {""};

	(void)state;
	lean = tls_provider_take();
	identity.key = EVP_EC_gen("P-256");
	identity.cert = make_certificate(identity.key);
	io = tls_io_new();
	if (!io || tls_create() != 0 ||
		tls_init(lean, tls_context_new(lean), &identity, &err) != 0)
		return -1;
	return tls_detach();
}

static int tear_down(void **state)
{
	(void)state;
	tls_finish();
	tls_destroy();
	BIO_free(io);
	X509_free(identity.cert);
	EVP_PKEY_free(identity.key);
	tls_provider_give(lean);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_suite_talks),
		cmocka_unit_test(what_the_peer_sends_at_once_is_read),
		cmocka_unit_test(tls_1_2_stays_with_openssl),
		cmocka_unit_test(who_asks_for_short_records_gets_them),
		cmocka_unit_test(little_is_held),
		cmocka_unit_test(keys_are_renewed_by_the_client),
		cmocka_unit_test(long_data_passes_in_both_directions),
		cmocka_unit_test(a_record_may_come_in_any_pieces),
		cmocka_unit_test(many_records_may_come_at_once),
		cmocka_unit_test(what_the_socket_does_not_take_is_sent_later),
		cmocka_unit_test(the_end_is_told_apart),
		cmocka_unit_test(who_misbehaves_gets_an_alert),
		cmocka_unit_test(a_reset_is_noticed),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(without_memory_it_is_not_detached),
		cmocka_unit_test(it_is_not_detached_before_that_is_begun),
	};

	if (CRYPTO_set_mem_functions(take, resize, give) != 1)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Two servers in one process: each has its own identity and ALPN names; both
 * share the provider.  When one server is stopped, the other continues.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <openssl/ssl.h>

#include "base/instance.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "tls/identity.h"
#include "tls/identity_dir.h"
#include "tls/identity_load.h"
#include "tls/identity_make.h"
#include "tls/tls.h"
#include "tls/tls_conn.h"
#include "tls/tls_start.h"
#include "tls/tls_state.h"

#define ROUNDS_MOST 20 /* of a handshake; it takes three */

static struct server {
	struct instance rooms;
	const char *alpn;
	char dir[32];
	struct identity identity;
} servers[2];
static struct server *const one = &servers[0], *const two = &servers[1];

/* Starts as life/server.c does. */
static void make(struct server *server, const char *alpn)
{
	const struct identity_new fresh = {.name = "strelaysrv"};
	struct relay_err err = {""};

	instance = &server->rooms;
	server->alpn = alpn;
	strcpy(server->dir, "/tmp/two-servers-XXXXXX");
	assert_non_null(mkdtemp(server->dir));
	assert_int_equal(log_create(), 0);
	assert_int_equal(metrics_create(), 0);
	assert_int_equal(tls_create(), 0);
	assert_int_equal(metrics_init(1), 0);
	tls_start_begin();
	assert_int_equal(tls_start_await(&err), 0);
	tls_start_selftest();
	assert_int_equal(identity_load(&server->identity, server->dir,
				 tls_start_libctx(), &fresh, &err),
		0);
	assert_int_equal(tls_init(tls_start_libctx(), tls_start_context(),
				 &server->identity, &err),
		0);
	assert_int_equal(tls_alpn_add(alpn), 0);
	assert_int_equal(
		tls_start_settle(&server->identity, server->dir, &err), 0);
}

static void end(struct server *server)
{
	instance = &server->rooms;
	tls_finish();
	identity_finish(&server->identity);
	tls_start_finish();
	tls_destroy();
	metrics_destroy();
	log_destroy();
	assert_memory_equal(&server->rooms, &(struct instance){NULL},
		sizeof(server->rooms));
	assert_int_equal(chdir(server->dir), 0);
	assert_int_equal(unlink(IDENTITY_CERT_FILE), 0);
	assert_int_equal(unlink(IDENTITY_KEY_FILE), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(server->dir), 0);
	instance = &instance_first;
}

static SSL *connect_client(SSL_CTX *ctx, int fd)
{
	SSL *client = SSL_new(ctx);

	assert_non_null(client);
	assert_int_equal(SSL_set_fd(client, fd), 1);
	/* The client offers both names, and the server chooses. */
	assert_int_equal(SSL_set_alpn_protos(client,
				 (const unsigned char *)"\3one\3two", 8),
		0);
	SSL_set_connect_state(client);
	return client;
}

static void shake_hands(struct tls_conn *server, SSL *client, int fd)
{
	enum tls_handshake done = TLS_HANDSHAKE_WAITS;
	int error;

	for (int i = 0; i < ROUNDS_MOST && done == TLS_HANDSHAKE_WAITS; i++) {
		(void)SSL_do_handshake(client);
		done = tls_conn_handshake(server, fd, &error);
	}
	assert_int_equal(done, TLS_HANDSHAKE_DONE);
	(void)SSL_do_handshake(client);
}

/* Whether a client reaches this server and no other. */
static void serves(struct server *server)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct tls_conn *accepted;
	SSL *client;
	const unsigned char *alpn;
	unsigned alpn_len;
	uint8_t id[32];
	X509 *cert;
	BIO *io;
	int fds[2];

	instance = &server->rooms;
	assert_non_null(ctx);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	io = tls_io_new();
	assert_non_null(io);
	accepted = tls_conn_accept(io);
	assert_non_null(accepted);
	client = connect_client(ctx, fds[1]);
	shake_hands(accepted, client, fds[0]);
	cert = SSL_get1_peer_certificate(client);
	assert_non_null(cert);
	assert_int_equal(X509_cmp(cert, server->identity.cert), 0);
	SSL_get0_alpn_selected(client, &alpn, &alpn_len);
	assert_int_equal(alpn_len, 3);
	assert_memory_equal(alpn, server->alpn, 3);
	assert_int_equal(tls_conn_take_peer(accepted, id), 0);
	assert_true(tls_conn_is_detached(accepted));
	X509_free(cert);
	SSL_free(client);
	tls_conn_free(accepted);
	BIO_free(io);
	SSL_CTX_free(ctx);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void each_has_its_identity_and_names(void **state)
{
	(void)state;
	make(one, "one");
	make(two, "two");
	assert_memory_not_equal(
		one->identity.id, two->identity.id, sizeof(one->identity.id));
	serves(one);
	serves(two);
	serves(one);
	end(two);
	end(one);
}

static void when_one_ends_the_other_goes_on(void **state)
{
	OSSL_LIB_CTX *shared;

	(void)state;
	make(one, "one");
	shared = tls_start_libctx();
	make(two, "two");
	assert_ptr_equal(tls_start_libctx(), shared);
	end(one);
	serves(two);
	/* A third server replaces the first. */
	make(one, "one");
	assert_ptr_equal(tls_start_libctx(), shared);
	serves(two);
	end(two);
	serves(one);
	end(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_identity_and_names),
		cmocka_unit_test(when_one_ends_the_other_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

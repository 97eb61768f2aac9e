/* SPDX-License-Identifier: MPL-2.0 */

/*
 * relay-parts - what the server's own cryptography saves.
 *
 *     relay-parts OWN DEVICES JOINS [PART...]
 *
 * JOINS devices with keys on the curve DEVICES do a TLS 1.3 handshake with the
 * server's TLS code, whose key is on the curve OWN, over a pair of sockets, and
 * stay connected.  The parts that are named
 * are left out: OpenSSL's take their place.  Prints the server's CPU time of a
 * handshake in ms, and the bytes of its heap for each device.  For callgrind,
 * what the server does is in counted_step(); parts.py runs it so.
 */

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/core_dispatch.h>
#include <openssl/err.h>

#include <strelaysrv/err.h>

#include "../handshakes/certificates.h"
#include "tls/identity.h"
#include "tls/tls.h"
#include "tls/tls_conn.h"
#include "tls/tls_chacha.h"
#include "tls/tls_ecdsa.h"
#include "tls/tls_provider.h"
#include "tls/tls_state.h"

#define FLIGHTS 8
#define WARM    8 /* handshakes that are not counted */

static const char *const names[] = {"provider", "ecdsa", "chacha", "records"};
enum { PROVIDER, ECDSA, CHACHA, RECORDS, PARTS };
static bool without[PARTS];

/* The linker (--wrap) calls these instead. */
const OSSL_DISPATCH *__wrap_tls_ecdsa_over(const OSSL_DISPATCH *beneath,
	const OSSL_DISPATCH *keys, OSSL_LIB_CTX *libctx);
const OSSL_DISPATCH *__real_tls_ecdsa_over(const OSSL_DISPATCH *beneath,
	const OSSL_DISPATCH *keys, OSSL_LIB_CTX *libctx);
const OSSL_DISPATCH *__wrap_tls_chacha_over(
	const OSSL_DISPATCH *beneath, void *provctx);
const OSSL_DISPATCH *__real_tls_chacha_over(
	const OSSL_DISPATCH *beneath, void *provctx);

const OSSL_DISPATCH *__wrap_tls_ecdsa_over(const OSSL_DISPATCH *beneath,
	const OSSL_DISPATCH *keys, OSSL_LIB_CTX *libctx)
{
	return without[ECDSA] ? NULL
			      : __real_tls_ecdsa_over(beneath, keys, libctx);
}

const OSSL_DISPATCH *__wrap_tls_chacha_over(
	const OSSL_DISPATCH *beneath, void *provctx)
{
	return without[CHACHA] ? NULL
			       : __real_tls_chacha_over(beneath, provctx);
}

static double cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* One device: what the server keeps of it. */
struct joined {
	struct tls_conn *tls;
	BIO *io;
};

/* Does what can be done with what has arrived; after the handshake, reads a
 * message and answers it, as a join does. */
static void step(struct joined *device, int fd, bool *done)
{
	uint8_t id[RELAY_DEVICE_ID_LEN];
	char message[8];
	size_t len;
	int error;

	if (!device->tls)
		device->tls = tls_conn_accept(device->io);
	if (!device->tls)
		return;
	if (!*done && tls_conn_handshake(device->tls, fd, &error) ==
			      TLS_HANDSHAKE_DONE) {
		*done = true;
		(void)tls_conn_take_peer(device->tls, id);
	}
	if (*done && tls_conn_read(device->tls, fd, message, sizeof(message),
			     &len) == TLS_DONE)
		(void)tls_conn_write(device->tls, fd, message, len, &len);
}

void counted_step(struct joined *device, int fd, bool *done);
void other_step(struct joined *device, int fd, bool *done);

__attribute__((noinline)) void counted_step(
	struct joined *device, int fd, bool *done)
{
	step(device, fd, done);
}

__attribute__((noinline)) void other_step(
	struct joined *device, int fd, bool *done)
{
	step(device, fd, done);
}

/* The server's CPU time in ms, or -1. */
static double join(SSL_CTX *client_ctx, struct joined *device, bool counts)
{
	SSL *client = SSL_new(client_ctx);
	bool done = false, sent = false;
	double spent = 0, before;
	int fds[2];

	if (!client ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
		return -1;
	device->io = tls_io_new();
	SSL_set_connect_state(client);
	if (!device->io || SSL_set_fd(client, fds[1]) != 1)
		return -1;
	for (int i = 0; i < FLIGHTS; i++) {
		if (SSL_do_handshake(client) == 1 && !sent)
			sent = SSL_write(client, "a join..", 8) == 8;
		before = cpu_ms();
		(counts ? counted_step : other_step)(device, fds[0], &done);
		spent += cpu_ms() - before;
	}
	SSL_free(client);
	(void)close(fds[0]);
	(void)close(fds[1]);
	ERR_clear_error();
	return done && sent ? spent : -1;
}

static SSL_CTX *client_of(const char *curve)
{
	EVP_PKEY *key = make_key(curve);
	X509 *cert = key ? make_certificate(key, 1, 0) : NULL;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx || !cert || SSL_CTX_use_certificate(ctx, cert) != 1 ||
		SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
		SSL_CTX_set1_groups_list(ctx, "X25519") != 1) {
		SSL_CTX_free(ctx);
		ctx = NULL;
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

static size_t heap(void)
{
	return mallinfo2().uordblks;
}

/* Prints the figures.  0 or -1. */
static int measure(SSL_CTX *client, size_t joins)
{
	struct joined *all = calloc(joins + WARM, sizeof(*all));
	size_t before = 0, i;
	double spent = 0, one = 0;

	for (i = 0; all && i < joins + WARM && one >= 0; i++) {
		if (i == WARM)
			before = heap();
		one = join(client, &all[i], i >= WARM);
		spent += i >= WARM ? one : 0;
	}
	if (!all || one < 0) {
		free(all);
		return -1;
	}
	(void)printf(
		"%.4f %zu\n", spent / (double)joins, (heap() - before) / joins);
	for (i = 0; i < joins + WARM; i++) {
		tls_conn_free(all[i].tls);
		BIO_free(all[i].io);
	}
	free(all);
	return 0;
}

static int run(const char *own, const char *devices, size_t joins)
{
	OSSL_LIB_CTX *libctx = without[PROVIDER] ? NULL : tls_provider_take();
	struct identity identity = {.key = make_key(own)};
	SSL_CTX *client = client_of(devices);
	struct relay_err err = {""};
	int done = -1;

	if (identity.key)
		identity.cert = make_certificate(identity.key, 1, 0);
	if (client && identity.cert &&
		tls_init(libctx, tls_context_new(libctx), &identity, &err) ==
			0 &&
		(without[RECORDS] || tls_detach() == 0))
		done = measure(client, joins);
	if (done != 0)
		(void)fprintf(stderr, "no joins: %s\n", err.text);
	SSL_CTX_free(client);
	tls_finish();
	identity_finish(&identity);
	tls_provider_give(libctx);
	return done;
}

int main(int argc, char **argv)
{
	int done;

	if (argc < 4 || strtoul(argv[3], NULL, 10) == 0 || tls_create() != 0)
		return EXIT_FAILURE;
	for (int i = 4; i < argc; i++)
		for (size_t j = 0; j < PARTS; j++)
			without[j] |= strcmp(argv[i], names[j]) == 0;
	done = run(argv[1], argv[2], strtoul(argv[3], NULL, 10));
	tls_destroy();
	return done == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

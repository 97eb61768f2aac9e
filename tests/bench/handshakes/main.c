/* SPDX-License-Identifier: MPL-2.0 */

/*
 * relay-handshakes - the cost of each choice of a stranger, for both sides.
 *
 *     relay-handshakes           prints the table of tests/bench/README.md
 *     relay-handshakes -check    exits with 1 if a step blocks a worker too
 *     long
 *
 * Runs handshakes with the server's TLS code over a pair of sockets, on one
 * thread, and measures its CPU time for each step.  The best of several
 * repetitions counts.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include <strelaysrv/err.h>

#include "cases.h"
#include "certificates.h"
#include "tls/identity.h"
#include "tls/tls.h"
#include "tls/tls_conn.h"
#include "tls/tls_hello.h"
#include "tls/tls_provider.h"
#include "tls/tls_state.h"
#include "tls/tls_step.h"

#define REPETITIONS 5
/* Slow clients are repeated only twice. */
#define SLOW_MS 50
/* Retries, in case the machine was busy meanwhile. */
#define TRIES   6
#define FLIGHTS 8
/*
 * A step may take 1.5 ms where a whole handshake with X25519 and P-256 takes
 * 0.41 ms.  Without integers of 128 bits OpenSSL computes on P-521 in general
 * code, and a step takes 6.5 times as long as that handshake.
 */
#ifdef __SIZEOF_INT128__
#define RATIO_MOST 3.6
#else
#define RATIO_MOST 8
#endif

struct cost {
	size_t bytes;      /* sent by the client */
	double theirs;     /* ms of CPU; 0 for prepared bytes */
	double ours, step; /* ms of CPU: total, largest step */
	char end[64];      /* how it ended */
};

struct round {
	bool checks;
	SSL_CTX *usual; /* owned */
	int bad;
};

static double cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static size_t waiting(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) == 0 ? (size_t)n : 0;
}

/* The checks of core/peers/conn_hello.c before OpenSSL reads. */
static bool may_read(int fd, const struct tls_conn *tls, bool is_first)
{
	unsigned char bytes[TLS_HELLO_ROOM];
	ssize_t got;

	if (!is_first && !tls_conn_awaits_hello(tls))
		return true;
	got = recv(fd, bytes, sizeof(bytes), MSG_PEEK);
	return got > 0 && tls_hello_look(bytes, (size_t)got) == TLS_HELLO_READY;
}

static void note_end(enum tls_handshake done, struct cost *cost)
{
	const char *why = ERR_reason_error_string(ERR_peek_error());

	if (done == TLS_HANDSHAKE_DONE)
		(void)snprintf(cost->end, sizeof(cost->end), "done");
	else if (done == TLS_HANDSHAKE_WAITS)
		(void)snprintf(cost->end, sizeof(cost->end), "answered");
	else
		(void)snprintf(cost->end, sizeof(cost->end), "refused: %s",
			why ? why : "?");
}

/*
 * Runs steps until there is nothing to read.  Whether the handshake continues.
 */
static bool serve(
	struct tls_conn *tls, int fd, bool is_first, struct cost *cost)
{
	enum tls_handshake done = TLS_HANDSHAKE_WAITS;
	int error;
	bool cut = true;

	if (!may_read(fd, tls, is_first)) {
		(void)snprintf(cost->end, sizeof(cost->end), "refused unread");
		return false;
	}
	while (cut && done == TLS_HANDSHAKE_WAITS) {
		double before = cpu_ms(), spent;

		tls_step_begin();
		done = tls_conn_handshake(tls, fd, &error);
		cut = tls_step_end() && waiting(fd) > 0;
		spent = cpu_ms() - before;
		cost->ours += spent;
		if (spent > cost->step)
			cost->step = spent;
	}
	note_end(done, cost);
	return done == TLS_HANDSHAKE_WAITS;
}

static void converse(const struct handshake_case *one, struct tls_conn *server,
	SSL *client, const int fds[2], struct cost *cost)
{
	bool more = true;

	for (int i = 0; i < FLIGHTS && more; i++) {
		double before = cpu_ms();

		if (client)
			(void)SSL_do_handshake(client);
		else if (i > 0 || write(fds[1], one->bytes, one->len) < 0)
			break;
		if (client)
			cost->theirs += cpu_ms() - before;
		cost->bytes += waiting(fds[0]);
		more = waiting(fds[0]) > 0 &&
		       serve(server, fds[0], i == 0, cost);
	}
}

/* 0 or -1. */
static int shake_hands(const struct handshake_case *one, struct cost *cost)
{
	int fds[2], done = -1, room = 1 << 20;
	struct tls_conn *server = NULL;
	SSL *client = NULL;
	BIO *io;

	memset(cost, 0, sizeof(*cost));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
		return -1;
	(void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	io = tls_io_new();
	if (io)
		server = tls_conn_accept(io);
	if (one->client)
		client = SSL_new(one->client);
	if (client) {
		SSL_set_connect_state(client);
		if (SSL_set_fd(client, fds[1]) != 1)
			one = NULL;
	}
	if (server && one && !one->client == !client) {
		converse(one, server, client, fds, cost);
		done = 0;
	}
	tls_conn_free(server);
	SSL_free(client);
	BIO_free(io);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return done;
}

/* The best of several runs. */
static int measure(const struct handshake_case *one, struct cost *best)
{
	struct cost cost;

	for (int i = 0; i < REPETITIONS && (i < 2 || cost.theirs < SLOW_MS);
		i++) {
		if (shake_hands(one, &cost) != 0)
			return -1;
		if (i == 0)
			*best = cost;
		if (cost.theirs < best->theirs)
			best->theirs = cost.theirs;
		if (cost.ours < best->ours)
			best->ours = cost.ours;
		if (cost.step < best->step)
			best->step = cost.step;
	}
	return 0;
}

static int show(const struct handshake_case *one, void *arg)
{
	struct round *round = arg;
	const struct handshake_case usual = {"", round->usual, NULL, 0};
	struct cost cost, beside;
	double ratio = 0;

	for (int i = 0; i < TRIES && (i == 0 || ratio > RATIO_MOST); i++) {
		if (measure(&usual, &beside) != 0 || measure(one, &cost) != 0)
			return -1;
		ratio = cost.step / beside.ours;
	}
	if (ratio > RATIO_MOST)
		round->bad++;
	if (!round->checks || ratio > RATIO_MOST)
		(void)printf("| %s | %zu | %.2f | %.2f | %.2f | %.1f | %s |\n",
			one->name, cost.bytes, cost.theirs, cost.ours,
			cost.step, ratio, cost.end);
	return fflush(stdout) == 0 ? 0 : -1;
}

static int show_all(struct round *round)
{
	if (!round->checks)
		(void)printf("| what | their bytes | their CPU, ms | our CPU, "
			     "ms | its largest step, ms | ratio | end |\n"
			     "|---|---|---|---|---|---|---|\n");
	if (cases_visit_groups(show, round) != 0 ||
		cases_visit_certificates(show, round) != 0 ||
		cases_visit_hellos(show, round) != 0) {
		(void)fprintf(stderr, "a case could not be made\n");
		return -1;
	}
	return round->bad ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct identity identity = {.key = make_key("P-256")};
	struct round round = {
		.checks = argc > 1 && strcmp(argv[1], "-check") == 0};
	OSSL_LIB_CTX *libctx;
	struct relay_err err = {""};
	int done = -1;

	if (tls_create() != 0)
		return EXIT_FAILURE;
	libctx = tls_provider_take();
	if (identity.key)
		identity.cert = make_certificate(identity.key, 1, 0);
	round.usual = case_reference();
	if (identity.cert && round.usual &&
		tls_init(libctx, tls_context_new(libctx), &identity, &err) == 0)
		done = show_all(&round);
	else
		(void)fprintf(stderr, "no TLS: %s\n", err.text);
	SSL_CTX_free(round.usual);
	tls_finish();
	identity_finish(&identity);
	tls_provider_give(libctx);
	tls_destroy();
	return done == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

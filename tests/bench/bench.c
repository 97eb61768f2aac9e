/* SPDX-License-Identifier: MPL-2.0 */

/* The loop, the limits and the TLS settings of a run. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

/*
 * 127.0.0.2 and up.  One address has ports for at most 28,000 connections, and
 * real devices use different addresses, too.
 */
#define FIRST_SOURCE (INADDR_LOOPBACK + 1)
#define SOURCES      250U

static int fail(const char *what)
{
	fprintf(stderr, "relay-load: %s\n", what);
	return -1;
}

static int fail_address(const char *option, const char *why)
{
	fprintf(stderr, "relay-load: --%s %s\n", option, why);
	return -1;
}

int bench_read_address(
	struct sockaddr_in *out, const char *option, const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];
	long port;
	char *end;

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return fail_address(option, "is not HOST:PORT");
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	port = strtol(colon + 1, &end, 10);
	if (*end || port < 1 || port > 65535)
		return fail_address(option, "has no port from 1 to 65535");
	if (inet_pton(AF_INET, host, &out->sin_addr) != 1)
		return fail_address(option, "is not an IPv4 address");
	out->sin_family = AF_INET;
	out->sin_port = htons((uint16_t)port);
	return 0;
}

static int read_host(
	struct sockaddr_in *out, const char *option, const char *text)
{
	out->sin_family = AF_INET;
	out->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!text || inet_pton(AF_INET, text, &out->sin_addr) == 1)
		return 0;
	return fail_address(option, "is not an IPv4 address");
}

static int find_server(struct bench *bench)
{
	const struct settings *s = bench->settings;

	if (read_host(&bench->own, "own-host", s->own_host))
		return -1;
	if (s->relay) {
		if (bench_read_address(&bench->server, "relay", s->relay))
			return -1;
		bench->asked = bench->server;
		return s->ask_relay ? bench_read_address(&bench->asked,
					      "ask-relay", s->ask_relay)
				    : 0;
	}
	bench->server = bench->own; /* without a proxy */
	if (!s->direct &&
		read_host(&bench->server, "proxy-host", s->proxy_host))
		return -1;
	bench->server.sin_port = htons(
		(uint16_t)(s->transit_port ? s->transit_port : s->tcp_port));
	return 0;
}

static int open_nets(struct bench *bench)
{
	const char *const files[] = {
		bench->settings->client_net, bench->settings->server_net};

	for (int side = 0; side < BENCH_SIDES; side++) {
		if (!files[side])
			continue;
		bench->nets[side] = open(files[side], O_RDONLY | O_CLOEXEC);
		if (bench->nets[side] < 0)
			return fail(files[side]);
	}
	return 0;
}

void bench_stand(struct bench *bench, enum bench_side side)
{
	if (bench->nets[side] >= 0 && setns(bench->nets[side], CLONE_NEWNET))
		tally_add(&bench->tally, FAILURE_LOCAL);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Clients check a relay's ID, not its chain, so no chain is verified. */
static int judge_certificate(X509_STORE_CTX *store, void *arg)
{
	(void)store;
	(void)arg;
	return 1;
}

/*
 * The TLS offer of Syncthing, as Go's crypto/tls sends it.  A relay stores
 * parts of it per connection.
 */
#define SUITES                                                                 \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"           \
	"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"                         \
	"ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA"
#define TLS13_SUITES                                                           \
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"                       \
	"TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS "X25519:P-256:P-384:P-521"
#define SIGNATURES                                                             \
	"rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256:ed25519:"                  \
	"rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:"       \
	"RSA+SHA512:ECDSA+SHA384:ECDSA+SHA512:RSA+SHA1:ECDSA+SHA1"

static int offer_as_syncthing(SSL_CTX *tls, bool tls12)
{
	static const unsigned char alpn[] = "\x09"
					    "bep-relay";

	SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_ENCRYPT_THEN_MAC |
					 SSL_OP_NO_EXTENDED_MASTER_SECRET);
	SSL_CTX_set_security_level(tls, 0); /* for SHA-1 */
	return SSL_CTX_set_alpn_protos(tls, alpn, sizeof(alpn) - 1) == 0 &&
			       SSL_CTX_set_min_proto_version(
				       tls, TLS1_2_VERSION) == 1 &&
			       SSL_CTX_set_max_proto_version(
				       tls, tls12 ? TLS1_2_VERSION
						  : TLS1_3_VERSION) == 1 &&
			       SSL_CTX_set_cipher_list(tls, SUITES) == 1 &&
			       SSL_CTX_set_ciphersuites(tls, TLS13_SUITES) ==
				       1 &&
			       SSL_CTX_set1_groups_list(tls, GROUPS) == 1 &&
			       SSL_CTX_set1_sigalgs_list(tls, SIGNATURES) == 1
		       ? 0
		       : -1;
}

static SSL_CTX *make_tls(bool tls12)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	if (!tls)
		return NULL;
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(tls, 1);
	SSL_CTX_set_cert_verify_callback(tls, judge_certificate, NULL);
	if (offer_as_syncthing(tls, tls12) == 0)
		return tls;
	SSL_CTX_free(tls);
	return NULL;
}

static void limit_passed(evutil_socket_t fd, short what, void *arg)
{
	struct bench *bench = arg;

	(void)fd;
	(void)what;
	bench->limit_passed = true;
	tally_add(&bench->tally, FAILURE_LIMIT);
	bench_stop(bench);
}

static struct timeval to_timeval(int64_t ms)
{
	return (struct timeval){
		(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
}

static int start_limit(struct bench *bench)
{
	struct timeval limit = to_timeval(bench->settings->limit_ms);
	struct timeval patience =
		to_timeval(bench->settings->client_timeout_ms);

	/* The timeout is the same for all clients, so a queue is enough. */
	bench->patience =
		event_base_init_common_timeout(bench->base, &patience);
	bench->limit = evtimer_new(bench->base, limit_passed, bench);
	if (!bench->patience || !bench->limit ||
		evtimer_add(bench->limit, &limit))
		return fail("no timer");
	return 0;
}

int bench_init(struct bench *bench, const struct settings *settings)
{
	memset(bench, 0, sizeof(*bench));
	bench->settings = settings;
	bench->sources = (struct sources){FIRST_SOURCE, SOURCES};
	bench->nets[BENCH_CLIENT] = bench->nets[BENCH_SERVER] = -1;
	raise_descriptor_limit();
	if (find_server(bench) || open_nets(bench))
		return -1;
	bench->base = event_base_new();
	if (!bench->base)
		return fail("no event loop");
	bench->tls = make_tls(settings->tls12);
	if (!bench->tls)
		return fail("no TLS");
	return start_limit(bench);
}

void bench_finish(struct bench *bench)
{
	if (bench->limit)
		event_free(bench->limit);
	SSL_CTX_free(bench->tls);
	if (bench->base)
		event_base_free(bench->base);
	for (int side = 0; side < BENCH_SIDES; side++) {
		if (bench->nets[side] >= 0)
			close(bench->nets[side]);
	}
}

void bench_run(struct bench *bench)
{
	if (!bench->limit_passed)
		event_base_dispatch(bench->base);
}

void bench_stop(struct bench *bench)
{
	event_base_loopbreak(bench->base);
}

static void time_is_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	bench_stop(arg);
}

void bench_run_for(struct bench *bench, int64_t ms)
{
	struct timeval time = to_timeval(ms);

	if (!event_base_once(
		    bench->base, -1, EV_TIMEOUT, time_is_up, bench, &time))
		bench_run(bench);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* The client: its identity and its settings. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "client_state.h"
#include "tls/identity.h"
#include "tls/identity_make.h"
#include "tls/identity_dir.h"
#include "tls/identity_read.h"

#define DIAL_MS    10000 /* this and the two below: as in the Go client */
#define ANSWER_MS  10000
#define SILENCE_MS 120000
#define MS_MAX     (INT64_C(1000) * 86400 * 365)

const struct timeval *client_timeval(int64_t ms, struct timeval *out)
{
	out->tv_sec = (time_t)(ms / 1000);
	out->tv_usec = (suseconds_t)(ms % 1000 * 1000);
	return out;
}

int64_t client_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Accepts any certificate: channel.c compares the relay's ID. */
static SSL_CTX *make_context(
	X509 *certificate, STACK_OF(X509) * chain, EVP_PKEY *key)
{
	static const unsigned char alpn[] = "\x09"
					    "bep-relay";
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	if (!tls || SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_alpn_protos(tls, alpn, sizeof(alpn) - 1) != 0 ||
		SSL_CTX_use_cert_and_key(tls, certificate, key, chain, 1) !=
			1) {
		SSL_CTX_free(tls);
		return NULL;
	}
	SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
	(void)SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION);
	(void)SSL_CTX_set_mode(
		tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
			     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			     SSL_MODE_AUTO_RETRY);
	(void)SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	return tls;
}

static int fail_openssl(struct relay_err *err, const char *what)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	(void)relay_fail(err, "%s: %s", what, why ? why : "no reason given");
	ERR_clear_error();
	return -1;
}

static int fill(struct relay_client *client, const struct identity *identity,
	struct relay_err *err)
{
	ERR_clear_error();
	if (X509_digest(identity->cert, EVP_sha256(), client->id, NULL) != 1)
		return fail_openssl(err, "cannot hash the certificate");
	client->relay_tls =
		make_context(identity->cert, identity->chain, identity->key);
	if (!client->relay_tls)
		return fail_openssl(err, "cannot use the certificate and key");
	return 0;
}

static struct relay_client *create(struct event_base *base,
	const struct identity *identity, struct relay_err *err)
{
	struct relay_client *client = calloc(1, sizeof(*client));

	if (!client) {
		(void)relay_fail(err, "no memory for a client");
		return NULL;
	}
	client->base = base;
	client->patience =
		(struct relay_client_patience){DIAL_MS, ANSWER_MS, SILENCE_MS};
	if (fill(client, identity, err)) {
		relay_client_destroy(client);
		return NULL;
	}
	return client;
}

struct relay_client *relay_client_create_with(struct event_base *base,
	struct x509_st *certificate, struct evp_pkey_st *key,
	struct relay_err *err)
{
	struct identity identity = {.cert = certificate, .key = key};

	return create(base, &identity, err);
}

static int open_keys(struct identity_dir *dir, struct relay_err *err)
{
	if (!*dir->name)
		dir->name = ".";
	dir->fd = open(dir->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0)
		return relay_fail(err, "cannot open the key directory %s: %s",
			dir->name, strerror(errno));
	return 0;
}

/*
 * identity_load() would create missing keys; but a client with a wrong path
 * must not get a new ID.
 */
struct relay_client *relay_client_create(
	struct event_base *base, const char *keys, struct relay_err *err)
{
	struct identity identity = {.cert = NULL};
	struct identity_dir dir = {.fd = -1, .name = keys};
	struct relay_client *client = NULL;

	if (open_keys(&dir, err))
		return NULL;
	ERR_clear_error();
	if (identity_read_certs(&identity, &dir, err) == 0 &&
		identity_read_key(&identity, &dir, err) == 0)
		client = create(base, &identity, err);
	ERR_clear_error();
	identity_finish(&identity);
	(void)close(dir.fd);
	return client;
}

void relay_client_destroy(struct relay_client *client)
{
	if (!client)
		return;
	SSL_CTX_free(client->relay_tls);
	SSL_CTX_free(client->pool_tls);
	OPENSSL_cleanse(client->token, sizeof(client->token));
	free(client);
}

const uint8_t *relay_client_id(const struct relay_client *client)
{
	return client->id;
}

int relay_client_set_patience(struct relay_client *client,
	const struct relay_client_patience *patience, struct relay_err *err)
{
	const int64_t all[] = {
		patience->dial_ms, patience->answer_ms, patience->silence_ms};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] <= 0 || all[i] > MS_MAX)
			return relay_fail(err,
				"a client's patience is above 0 and at most "
				"a year");
	}
	client->patience = *patience;
	return 0;
}

int relay_client_set_token(
	struct relay_client *client, const char *token, struct relay_err *err)
{
	size_t len = strnlen(token, CLIENT_TOKEN_MAX + 1);

	if (len > CLIENT_TOKEN_MAX)
		return relay_fail(
			err, "a token has at most %d bytes", CLIENT_TOKEN_MAX);
	memcpy(client->token, token, len + 1);
	return 0;
}

/* identity_make() would fail, too, but with a misleading text. */
static int check_empty(const struct identity_dir *dir, struct relay_err *err)
{
	static const char *const files[] = {
		IDENTITY_CERT_FILE, IDENTITY_KEY_FILE};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (faccessat(dir->fd, files[i], F_OK, AT_SYMLINK_NOFOLLOW) ==
			0)
			return relay_fail(err,
				"%s/%s is there already; it was left alone",
				dir->name, files[i]);
	}
	return 0;
}

int relay_client_make_keys(const char *name, struct relay_err *err)
{
	struct identity_dir dir = {.fd = -1, .name = name};
	const struct identity_new fresh = {.name = "syncthing"};
	int result;

	if (open_keys(&dir, err))
		return -1;
	result = check_empty(&dir, err);
	if (!result)
		result = identity_make(&dir, &fresh, err);
	(void)close(dir.fd);
	return result;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Complete handshakes in memory, before anybody is served. */

#include <stdbool.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "tls/identity_read.h"
#include "tls/tls_rehearsal.h"

#define NO_KIND   TLS_KEY_KINDS
#define ACTS_MOST 4
#define TURNS     16 /* a handshake takes four */

const char *const tls_key_words[TLS_KEY_KINDS + 1] = {[TLS_KEY_P384] = "p-384",
	[TLS_KEY_P256] = "p-256",
	[TLS_KEY_ED25519] = "ed25519",
	[TLS_KEY_RSA] = "rsa",
	[TLS_KEY_KINDS] = NULL};

/* NO_KIND of a server: the certificate that the context has. */
struct act {
	int version;
	enum tls_key_kind server, client;
};

/* Each kind on each side, and in each version. */
static const struct act acts[ACTS_MOST] = {
	{TLS1_3_VERSION, TLS_KEY_P384, TLS_KEY_ED25519},
	{TLS1_3_VERSION, TLS_KEY_RSA, TLS_KEY_P256},
	{TLS1_2_VERSION, TLS_KEY_ED25519, TLS_KEY_P384},
	{TLS1_2_VERSION, TLS_KEY_P256, TLS_KEY_RSA},
};

struct pair {
	SSL *server, *client; /* owned */
};

struct tls_rehearsal {
	struct pair pairs[ACTS_MOST];
};

/* Of each kind, made when it is first needed. */
struct cast {
	OSSL_LIB_CTX *libctx; /* borrowed */
	SSL_CTX *client;      /* owned, as all here */
	X509 *certs[TLS_KEY_KINDS];
	EVP_PKEY *keys[TLS_KEY_KINDS];
};

static int cast_make(struct cast *cast, enum tls_key_kind kind)
{
	const struct tls_rehearsal_pair *from = &tls_rehearsal_pairs[kind];
	const unsigned char *at = from->cert;
	X509 *cert;

	if (cast->keys[kind])
		return 0;
	cert = X509_new_ex(cast->libctx, NULL);
	/* A failure to read frees it, and says so in its place. */
	if (cert && d2i_X509(&cert, &at, (long)from->cert_len))
		cast->keys[kind] = identity_decode_key(
			from->key, from->key_len, cast->libctx);
	cast->certs[kind] = cert;
	return cast->keys[kind] ? 0 : -1;
}

static void cast_free(struct cast *cast)
{
	for (size_t i = 0; i < TLS_KEY_KINDS; i++) {
		X509_free(cast->certs[i]);
		EVP_PKEY_free(cast->keys[i]);
	}
	SSL_CTX_free(cast->client);
}

static SSL *new_side(SSL_CTX *ctx, enum tls_key_kind kind, struct cast *cast)
{
	SSL *ssl = SSL_new(ctx);

	if (ssl &&
		(kind == NO_KIND || (cast_make(cast, kind) == 0 &&
					    SSL_use_certificate(ssl,
						    cast->certs[kind]) == 1 &&
					    SSL_use_PrivateKey(ssl,
						    cast->keys[kind]) == 1)))
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static void pair_free(struct pair *pair)
{
	SSL_free(pair->server);
	SSL_free(pair->client);
	*pair = (struct pair){NULL, NULL};
}

static int connect_sides(struct pair *pair)
{
	BIO *server, *client;

	if (BIO_new_bio_pair(&server, 0, &client, 0) != 1)
		return -1;
	SSL_set_bio(pair->server, server, server);
	SSL_set_bio(pair->client, client, client);
	SSL_set_accept_state(pair->server);
	SSL_set_connect_state(pair->client);
	return 0;
}

static int pair_make(struct pair *pair, const struct act *act, SSL_CTX *ctx,
	struct cast *cast)
{
	/* What certificates are hashed with is looked for in the default. */
	OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(cast->libctx);
	bool good;

	pair->server = new_side(ctx, act->server, cast);
	pair->client = new_side(cast->client, act->client, cast);
	OSSL_LIB_CTX_set0_default(before);
	good = pair->server && pair->client && connect_sides(pair) == 0 &&
	       SSL_set_max_proto_version(pair->client, act->version) == 1;
	if (good)
		return 0;
	pair_free(pair);
	return -1;
}

/* Devices take certificates for what they hash to, and so do these. */
static SSL_CTX *client_context(OSSL_LIB_CTX *libctx)
{
	SSL_CTX *ctx = SSL_CTX_new_ex(libctx, NULL, TLS_client_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_security_level(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* Whether it goes on. */
static bool step(SSL *ssl)
{
	int done = SSL_do_handshake(ssl), why;

	if (done == 1)
		return true;
	why = SSL_get_error(ssl, done);
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static int pass_a_byte(SSL *from, SSL *to)
{
	char sent = 'x', got = 0;

	return SSL_write(from, &sent, 1) == 1 && SSL_read(to, &got, 1) == 1 &&
			       got == sent
		       ? 0
		       : -1;
}

static int pair_run(struct pair *pair)
{
	if (!pair->server || !pair->client)
		return -1;
	for (int turn = 0; turn < TURNS; turn++) {
		if (!step(pair->client) || !step(pair->server))
			return -1;
		if (SSL_is_init_finished(pair->client) &&
			SSL_is_init_finished(pair->server))
			break;
	}
	return SSL_get0_peer_certificate(pair->server) &&
			       pass_a_byte(pair->server, pair->client) == 0 &&
			       pass_a_byte(pair->client, pair->server) == 0
		       ? 0
		       : -1;
}

struct tls_rehearsal *tls_rehearsal_new(SSL_CTX *ctx, OSSL_LIB_CTX *libctx)
{
	struct tls_rehearsal *rehearsal = calloc(1, sizeof(*rehearsal));
	struct cast cast = {.libctx = libctx, .client = client_context(libctx)};
	bool good = rehearsal && cast.client;

	for (size_t i = 0; good && i < ACTS_MOST; i++)
		good = pair_make(&rehearsal->pairs[i], &acts[i], ctx, &cast) ==
		       0;
	cast_free(&cast);
	ERR_clear_error();
	if (good)
		return rehearsal;
	for (size_t i = 0; rehearsal && i < ACTS_MOST; i++)
		pair_free(&rehearsal->pairs[i]);
	free(rehearsal);
	return NULL;
}

int tls_rehearsal_run(struct tls_rehearsal *rehearsal)
{
	int result = 0;

	if (!rehearsal)
		return -1;
	for (size_t i = 0; i < ACTS_MOST; i++) {
		result |= pair_run(&rehearsal->pairs[i]);
		pair_free(&rehearsal->pairs[i]);
	}
	ERR_clear_error();
	free(rehearsal);
	return result;
}

static int run_one(const struct act *act, SSL_CTX *ctx, OSSL_LIB_CTX *libctx)
{
	struct cast cast = {.libctx = libctx, .client = client_context(libctx)};
	struct pair pair = {NULL, NULL};
	int result = -1;

	if (cast.client && pair_make(&pair, act, ctx, &cast) == 0)
		result = pair_run(&pair);
	pair_free(&pair);
	cast_free(&cast);
	ERR_clear_error();
	return result;
}

unsigned tls_rehearse_each(SSL_CTX *ctx, OSSL_LIB_CTX *libctx)
{
	unsigned failed = 0;

	for (enum tls_key_kind kind = 0; kind < TLS_KEY_KINDS; kind++) {
		const struct act newer = {TLS1_3_VERSION, kind, kind};
		const struct act older = {TLS1_2_VERSION, kind, kind};

		/* Ours is too short for FIPS 140, and devices' are not. */
		if (kind == TLS_KEY_RSA &&
			EVP_default_properties_is_fips_enabled(libctx))
			continue;
		if (run_one(&newer, ctx, libctx) != 0 ||
			run_one(&older, ctx, libctx) != 0)
			failed |= 1U << kind;
	}
	return failed;
}

int tls_rehearse_own(SSL_CTX *ctx, OSSL_LIB_CTX *libctx)
{
	const struct act newer = {TLS1_3_VERSION, NO_KIND, TLS_KEY_P256};
	const struct act older = {TLS1_2_VERSION, NO_KIND, TLS_KEY_P256};

	return run_one(&newer, ctx, libctx) | run_one(&older, ctx, libctx);
}

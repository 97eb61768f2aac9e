/* SPDX-License-Identifier: MPL-2.0 */

/* OpenSSL's default provider with fewer algorithms, and some of our own. */

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include "tls/tls_chacha.h"
#include "tls/tls_ecdsa.h"
#include "tls/tls_provider.h"

#define NAME        "strelaysrv"
#define CHOSEN_MOST 16
#define LEANER      "ChaCha20-Poly1305" /* see tls_chacha.h */
#define FASTER      "ECDSA"             /* see tls_ecdsa.h */
#define SPKI        "structure=SubjectPublicKeyInfo"

/*
 * The algorithms that TLS 1.2 and 1.3 need with our cipher suites and
 * certificates.  The first fetch of a kind sets up all that its list names, so
 * a short list makes a fast start.  Kinds without a row are left as they are:
 * their lists are short.
 */
static const struct chosen {
	int operation;
	/* Whether all must exist, except those that begin with '?'. */
	bool needed;
	/* Its property definition must have both. */
	const char *input, *structure;
	const char *names[CHOSEN_MOST];
} chosen[] = {
	{OSSL_OP_DECODER, true, "input=der", SPKI,
		{"EC", "RSA", "RSA-PSS", "ED25519", "ED448"}},
	{OSSL_OP_KEYMGMT, true, "", "",
		{"EC", "RSA", "RSA-PSS", "ED25519", "ED448", "X25519", "X448",
			"HMAC", "?X25519MLKEM768"}},
	{OSSL_OP_CIPHER, false, "", "",
		{"AES-128-GCM", "AES-256-GCM", LEANER, "AES-128-CBC",
			"AES-256-CBC", "AES-128-CBC-HMAC-SHA1",
			"AES-256-CBC-HMAC-SHA1"}},
	{OSSL_OP_SIGNATURE, true, "", "",
		{FASTER, "RSA", "ED25519", "ED448", "HMAC"}},
	{OSSL_OP_ENCODER, false, "", "", {NULL}},
	{OSSL_OP_STORE, false, "", "", {NULL}},
};

#define CHOSEN (sizeof(chosen) / sizeof(chosen[0]))

/*
 * Global: query() is called with the context of the default provider, and of
 * these there is one in a process.
 */
static struct {
	pthread_mutex_t lock; /* of `users`, and of loading and unloading */
	unsigned users;       /* of libctx */
	OSSL_PROVIDER *full;  /* in OpenSSL's default context */
	OSSL_PROVIDER *lean;  /* in our context */
	OSSL_LIB_CTX *libctx; /* owned */
	/* In the order of `chosen`; each list ends with zeros. */
	OSSL_ALGORITHM algorithms[CHOSEN][CHOSEN_MOST + 1];
} provider = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const OSSL_ALGORITHM *query(void *ctx, int operation, int *no_cache)
{
	(void)ctx;
	*no_cache = 0;
	for (size_t i = 0; i < CHOSEN; i++)
		if (chosen[i].operation == operation)
			return provider.algorithms[i];
	return OSSL_PROVIDER_query_operation(
		provider.full, operation, no_cache);
}

/* TLS reads the list of its groups here. */
static int capabilities(
	void *ctx, const char *capability, OSSL_CALLBACK *each, void *arg)
{
	(void)ctx;
	return OSSL_PROVIDER_get_capabilities(
		provider.full, capability, each, arg);
}

static int provider_init(const OSSL_CORE_HANDLE *handle,
	const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **ctx)
{
	static const OSSL_DISPATCH functions[] = {
		{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
		{OSSL_FUNC_PROVIDER_GET_CAPABILITIES,
			(void (*)(void))capabilities},
		{0, NULL}};

	(void)handle;
	(void)in;
	*out = functions;
	/* The algorithms are the default provider's and expect its context. */
	*ctx = OSSL_PROVIDER_get0_provider_ctx(provider.full);
	return 1;
}

/* Whether `name` is the first of the algorithm's names. */
static bool is(const OSSL_ALGORITHM *algorithm, const char *name)
{
	size_t len = strcspn(algorithm->algorithm_names, ":");

	return strlen(name) == len &&
	       strncmp(name, algorithm->algorithm_names, len) == 0;
}

static bool has(const OSSL_ALGORITHM *algorithm, const char *property)
{
	const char *all = algorithm->property_definition;

	return all && strstr(all, property);
}

static const OSSL_ALGORITHM *find(
	const OSSL_ALGORITHM *all, const struct chosen *of, const char *name)
{
	for (; all && all->algorithm_names; all++)
		if (is(all, name) && has(all, of->input) &&
			has(all, of->structure))
			return all;
	return NULL;
}

static const OSSL_ALGORITHM *of_default(int operation)
{
	int no_cache;

	return OSSL_PROVIDER_query_operation(
		provider.full, operation, &no_cache);
}

/* Our implementation of it; NULL: we have none. */
static const OSSL_DISPATCH *better(const OSSL_ALGORITHM *one, int operation)
{
	const OSSL_ALGORITHM *keys;

	if (operation == OSSL_OP_CIPHER && is(one, LEANER))
		return tls_chacha_over(one->implementation,
			OSSL_PROVIDER_get0_provider_ctx(provider.full));
	if (operation != OSSL_OP_SIGNATURE || !is(one, FASTER))
		return NULL;
	for (keys = of_default(OSSL_OP_KEYMGMT); keys && keys->algorithm_names;
		keys++)
		if (is(keys, "EC"))
			return tls_ecdsa_over(one->implementation,
				keys->implementation, provider.libctx);
	return NULL;
}

/* 0, or -1 when a needed algorithm is missing. */
static int choose(const struct chosen *of, OSSL_ALGORITHM *out)
{
	const OSSL_ALGORITHM *all = of_default(of->operation);

	for (size_t i = 0; i < CHOSEN_MOST && of->names[i]; i++) {
		const char *name = of->names[i];
		bool needed = of->needed && name[0] != '?';
		const OSSL_ALGORITHM *one =
			find(all, of, name[0] == '?' ? name + 1 : name);
		const OSSL_DISPATCH *over;

		if (!one && needed)
			return -1;
		if (!one)
			continue;
		*out = *one;
		over = better(one, of->operation);
		if (over)
			out->implementation = over;
		out++;
	}
	return 0;
}

static int choose_all(void)
{
	for (size_t i = 0; i < CHOSEN; i++)
		if (choose(&chosen[i], provider.algorithms[i]) != 0)
			return -1;
	return 0;
}

/* Whether OpenSSL is configured as usual: we do not override an operator's
 * choice of other algorithms. */
static bool may_replace(void)
{
	/* Reads openssl.cnf first, or the first query would be answered without
	 * it. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	return OSSL_PROVIDER_available(NULL, "default") == 1 &&
	       OSSL_PROVIDER_available(NULL, "fips") == 0 &&
	       EVP_default_properties_is_fips_enabled(NULL) == 0;
}

static void unload(void)
{
	OSSL_PROVIDER_unload(provider.lean);
	OSSL_LIB_CTX_free(provider.libctx);
	OSSL_PROVIDER_unload(provider.full);
	provider.lean = provider.full = NULL;
	provider.libctx = NULL;
}

/* OpenSSL's usual generator would load all ciphers, a large part of a start. */
static bool draw_by_hash(OSSL_LIB_CTX *libctx)
{
	return RAND_set_DRBG_type(
		       libctx, "HASH-DRBG", NULL, NULL, "SHA2-256") == 1;
}

static void load(void)
{
	if (!may_replace())
		return;
	/* The default provider's algorithms draw random numbers from the
	 * default context.  If this fails, the self-test finds it. */
	(void)draw_by_hash(NULL);
	provider.full = OSSL_PROVIDER_load(NULL, "default");
	provider.libctx = OSSL_LIB_CTX_new();
	if (provider.full && provider.libctx) {
		if (choose_all() == 0 &&
			OSSL_PROVIDER_add_builtin(
				provider.libctx, NAME, provider_init) == 1)
			provider.lean =
				OSSL_PROVIDER_load(provider.libctx, NAME);
		if (provider.lean && !draw_by_hash(provider.libctx)) {
			OSSL_PROVIDER_unload(provider.lean);
			provider.lean = NULL;
		}
	}
	if (!provider.lean)
		unload();
}

OSSL_LIB_CTX *tls_provider_take(void)
{
	OSSL_LIB_CTX *libctx;

	(void)pthread_mutex_lock(&provider.lock);
	if (!provider.users)
		load();
	libctx = provider.libctx;
	provider.users += libctx != NULL;
	(void)pthread_mutex_unlock(&provider.lock);
	return libctx;
}

void tls_provider_give(OSSL_LIB_CTX *libctx)
{
	if (!libctx)
		return;
	(void)pthread_mutex_lock(&provider.lock);
	if (--provider.users == 0)
		unload();
	(void)pthread_mutex_unlock(&provider.lock);
}

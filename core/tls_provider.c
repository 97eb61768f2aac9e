/* SPDX-License-Identifier: MPL-2.0 */

/* OpenSSL's default provider with fewer decoders. */

#include <stdbool.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "tls_provider.h"

#define NAME        "strelaysrv"
#define CHOSEN_MOST 16

static struct {
	OSSL_PROVIDER *full;  /* in OpenSSL's own context */
	OSSL_PROVIDER *lean;  /* in ours */
	OSSL_LIB_CTX *libctx; /* owned */
	/* Both end with zeros. */
	OSSL_ALGORITHM decoders[CHOSEN_MOST + 1];
	OSSL_ALGORITHM keys[CHOSEN_MOST + 1];
} provider;

static const OSSL_ALGORITHM *query(void *ctx, int operation, int *no_cache)
{
	(void)ctx;
	*no_cache = 0;
	if (operation == OSSL_OP_DECODER)
		return provider.decoders;
	if (operation == OSSL_OP_KEYMGMT)
		return provider.keys;
	if (operation == OSSL_OP_ENCODER || operation == OSSL_OP_STORE)
		return NULL;
	return OSSL_PROVIDER_query_operation(
		provider.full, operation, no_cache);
}

/* TLS's groups are among them. */
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

/* Whether the first of the algorithm's names is in the list. */
static bool named(const OSSL_ALGORITHM *algorithm, const char *const *names)
{
	size_t len = strcspn(algorithm->algorithm_names, ":");

	for (; *names; names++)
		if (strlen(*names) == len &&
			strncmp(*names, algorithm->algorithm_names, len) == 0)
			return true;
	return false;
}

static bool has(const OSSL_ALGORITHM *algorithm, const char *property)
{
	const char *all = algorithm->property_definition;

	return all && strstr(all, property);
}

/* Returns how many. */
static size_t choose(int operation, const char *const *names, const char *input,
	const char *structure, OSSL_ALGORITHM *out)
{
	size_t n = 0;
	int no_cache;
	const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(
		provider.full, operation, &no_cache);

	for (; all && all->algorithm_names && n < CHOSEN_MOST; all++)
		if (named(all, names) && has(all, input) && has(all, structure))
			out[n++] = *all;
	return n;
}

/* What certificates sign with, what is agreed on by TLS, and its HMAC. */
static int choose_all(void)
{
	static const char *const certified[] = {
		"EC", "RSA", "RSA-PSS", "ED25519", "ED448", NULL};
	static const char *const used[] = {"EC", "RSA", "RSA-PSS", "ED25519",
		"ED448", "X25519", "X448", "HMAC", NULL};

	return choose(OSSL_OP_DECODER, certified, "input=der",
		       "structure=SubjectPublicKeyInfo",
		       provider.decoders) == 5 &&
			       choose(OSSL_OP_KEYMGMT, used, "", "",
				       provider.keys) == 8
		       ? 0
		       : -1;
}

/* An operator's other choice of algorithms is not ours to overrule. */
static bool may(void)
{
	return OSSL_PROVIDER_available(NULL, "default") == 1 &&
	       OSSL_PROVIDER_available(NULL, "fips") == 0 &&
	       EVP_default_properties_is_fips_enabled(NULL) == 0;
}

OSSL_LIB_CTX *tls_provider_init(void)
{
	if (!may())
		return NULL;
	provider.full = OSSL_PROVIDER_load(NULL, "default");
	provider.libctx = OSSL_LIB_CTX_new();
	if (provider.full && provider.libctx) {
		if (choose_all() == 0 &&
			OSSL_PROVIDER_add_builtin(
				provider.libctx, NAME, provider_init) == 1)
			provider.lean =
				OSSL_PROVIDER_load(provider.libctx, NAME);
	}
	if (!provider.lean)
		tls_provider_finish();
	return provider.libctx;
}

void tls_provider_finish(void)
{
	OSSL_PROVIDER_unload(provider.lean);
	OSSL_LIB_CTX_free(provider.libctx);
	OSSL_PROVIDER_unload(provider.full);
	memset(&provider, 0, sizeof(provider));
}

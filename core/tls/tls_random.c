/* SPDX-License-Identifier: MPL-2.0 */

/* getrandom(2) for OpenSSL's provider interface. */

#include <errno.h>
#include <stddef.h>
#include <sys/random.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "tls/tls_random.h"

#define STRENGTH     256
#define REQUEST_MOST 65536

/* What new_context() returns.  The generator has no state, but a result of NULL
 * would mean a failure.  Not const, since OpenSSL expects a plain void pointer.
 */
static int nothing;

static void *new_context(void *provider, void *parent, const OSSL_DISPATCH *up)
{
	(void)provider;
	(void)parent;
	(void)up;
	return &nothing;
}

static void free_context(void *context)
{
	(void)context;
}

static int instantiate(void *context, unsigned strength, int resistance,
	const unsigned char *text, size_t len, const OSSL_PARAM *params)
{
	(void)context;
	(void)resistance;
	(void)text;
	(void)len;
	(void)params;
	return strength <= STRENGTH;
}

static int uninstantiate(void *context)
{
	(void)context;
	return 1;
}

int tls_random_fill(unsigned char *out, size_t len)
{
	while (len > 0) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			out += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int generate(void *context, unsigned char *out, size_t len,
	unsigned strength, int resistance, const unsigned char *more,
	size_t more_len)
{
	(void)context;
	(void)resistance;
	(void)more;
	(void)more_len;
	return strength <= STRENGTH && tls_random_fill(out, len) == 0;
}

/* There is no shared state to lock. */
static int enable_locking(void *context)
{
	(void)context;
	return 1;
}

static int get_params(void *context, OSSL_PARAM params[])
{
	OSSL_PARAM *p;

	(void)context;
	p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
	if (p && !OSSL_PARAM_set_int(p, EVP_RAND_STATE_READY))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
	if (p && !OSSL_PARAM_set_uint(p, STRENGTH))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);
	return !p || OSSL_PARAM_set_size_t(p, REQUEST_MOST);
}

static const OSSL_DISPATCH functions[] = {
	{OSSL_FUNC_RAND_NEWCTX, (void (*)(void))new_context},
	{OSSL_FUNC_RAND_FREECTX, (void (*)(void))free_context},
	{OSSL_FUNC_RAND_INSTANTIATE, (void (*)(void))instantiate},
	{OSSL_FUNC_RAND_UNINSTANTIATE, (void (*)(void))uninstantiate},
	{OSSL_FUNC_RAND_GENERATE, (void (*)(void))generate},
	{OSSL_FUNC_RAND_ENABLE_LOCKING, (void (*)(void))enable_locking},
	{OSSL_FUNC_RAND_GET_CTX_PARAMS, (void (*)(void))get_params}, {0, NULL}};

const OSSL_ALGORITHM tls_random[] = {
	{TLS_RANDOM, "provider=strelaysrv", functions, NULL},
	{NULL, NULL, NULL, NULL}};

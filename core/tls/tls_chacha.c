/* SPDX-License-Identifier: MPL-2.0 */

/* ChaCha20-Poly1305 that keeps only the key between records. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include "tls/tls_chacha.h"

#define KEY_LEN   32
#define NONCE_LEN 12

/* The state of the nonce, which is never used twice. */
enum step {
	SPENT, /* a new nonce is needed */
	BEGUN, /* TLS 1.3: a record has begun with its own nonce */
	/* TLS 1.2: the record's AAD is set; the next update is the whole
	 * record */
	WHOLE,
};

/* What OpenSSL holds as the cipher's context. */
struct record_cipher {
	/* owned, made by the wrapped functions; NULL between records */
	void *state;
	unsigned char key[KEY_LEN];
	/* TLS 1.2 sets it once, TLS 1.3 for each record. */
	unsigned char nonce[NONCE_LEN];
	uint8_t step; /* enum step */
	bool keyed : 1, with_nonce : 1, encrypts : 1;
};

/* The wrapped functions; constant once tls_chacha_over() has returned.  Global:
 * OpenSSL calls the functions around them without an argument of ours. */
static struct {
	void *provctx; /* borrowed */
	OSSL_FUNC_cipher_newctx_fn *newctx;
	OSSL_FUNC_cipher_freectx_fn *freectx;
	OSSL_FUNC_cipher_dupctx_fn *dupctx;
	OSSL_FUNC_cipher_encrypt_init_fn *encrypt_init;
	OSSL_FUNC_cipher_decrypt_init_fn *decrypt_init;
	OSSL_FUNC_cipher_update_fn *update;
	OSSL_FUNC_cipher_final_fn *finish;
	OSSL_FUNC_cipher_get_ctx_params_fn *get_ctx_params;
	OSSL_FUNC_cipher_set_ctx_params_fn *set_ctx_params;
} functions;

static void *newctx(void *provctx)
{
	(void)provctx; /* it is the same as functions.provctx */
	return OPENSSL_zalloc(sizeof(struct record_cipher));
}

static void drop_state(struct record_cipher *cipher)
{
	/* Not every provider's freectx accepts NULL. */
	if (cipher->state)
		functions.freectx(cipher->state);
	cipher->state = NULL;
}

static void end_record(struct record_cipher *cipher)
{
	cipher->step = SPENT;
	drop_state(cipher);
}

static void freectx(void *vctx)
{
	struct record_cipher *cipher = vctx;

	if (!cipher)
		return;
	drop_state(cipher);
	OPENSSL_clear_free(cipher, sizeof(*cipher));
}

/* Initializes the state, which must exist, by one call to the wrapped
 * function. */
static int init_state(const struct record_cipher *cipher,
	const unsigned char *key, const unsigned char *nonce)
{
	return (cipher->encrypts ? functions.encrypt_init
				 : functions.decrypt_init)(cipher->state, key,
		key ? KEY_LEN : 0, nonce, nonce ? NONCE_LEN : 0, NULL);
}

/* Makes the state if there is none.  1, or 0 without memory, as OpenSSL's
 * callbacks return it. */
static int ensure_state(struct record_cipher *cipher)
{
	if (cipher->state)
		return 1;
	cipher->state = functions.newctx(functions.provctx);
	if (!cipher->state)
		return 0;
	if (!cipher->keyed ||
		init_state(cipher, cipher->key,
			cipher->with_nonce ? cipher->nonce : NULL))
		return 1;
	end_record(cipher);
	return 0;
}

static void *dupctx(void *vctx)
{
	const struct record_cipher *from = vctx;
	struct record_cipher *cipher = OPENSSL_memdup(from, sizeof(*from));

	if (!cipher || !from->state)
		return cipher;
	cipher->state = functions.dupctx(from->state);
	if (cipher->state)
		return cipher;
	freectx(cipher);
	return NULL;
}

static int set_ctx_params(void *vctx, const OSSL_PARAM params[])
{
	struct record_cipher *cipher = vctx;

	if (OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_AEAD_TLS1_AAD))
		cipher->step = WHOLE;
	return ensure_state(cipher) &&
	       functions.set_ctx_params(cipher->state, params);
}

static int init(struct record_cipher *cipher, bool encrypts,
	const unsigned char *key, size_t key_len, const unsigned char *nonce,
	size_t nonce_len, const OSSL_PARAM params[])
{
	if ((key && key_len != KEY_LEN) || (nonce && nonce_len != NONCE_LEN))
		return 0;
	if (key || encrypts != cipher->encrypts)
		drop_state(cipher);
	cipher->encrypts = encrypts;
	if (key) {
		memcpy(cipher->key, key, KEY_LEN);
		cipher->keyed = true;
	}
	if (nonce) {
		memcpy(cipher->nonce, nonce, NONCE_LEN);
		cipher->with_nonce = true;
		cipher->step = BEGUN;
		if (cipher->state && !init_state(cipher, NULL, nonce)) {
			end_record(cipher);
			return 0;
		}
	}
	return !params || set_ctx_params(cipher, params);
}

static int encrypt_init(void *vctx, const unsigned char *key, size_t key_len,
	const unsigned char *nonce, size_t nonce_len, const OSSL_PARAM params[])
{
	return init(vctx, true, key, key_len, nonce, nonce_len, params);
}

static int decrypt_init(void *vctx, const unsigned char *key, size_t key_len,
	const unsigned char *nonce, size_t nonce_len, const OSSL_PARAM params[])
{
	return init(vctx, false, key, key_len, nonce, nonce_len, params);
}

static int update(void *vctx, unsigned char *out, size_t *out_len, size_t size,
	const unsigned char *in, size_t len)
{
	struct record_cipher *cipher = vctx;
	int ok = cipher->step != SPENT && ensure_state(cipher) &&
		 functions.update(cipher->state, out, out_len, size, in, len);

	if (cipher->step == WHOLE)
		end_record(cipher);
	return ok;
}

/* Ends an incoming record.  An outgoing one ends when its tag is read. */
static int finish(void *vctx, unsigned char *out, size_t *out_len, size_t size)
{
	struct record_cipher *cipher = vctx;
	int ok = cipher->step == BEGUN && ensure_state(cipher) &&
		 functions.finish(cipher->state, out, out_len, size);

	cipher->step = SPENT;
	if (!cipher->encrypts)
		drop_state(cipher);
	return ok;
}

static int get_ctx_params(void *vctx, OSSL_PARAM params[])
{
	struct record_cipher *cipher = vctx;
	int ok = ensure_state(cipher) &&
		 functions.get_ctx_params(cipher->state, params);

	if (OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_AEAD_TAG))
		end_record(cipher);
	return ok;
}

/* Stores a function of the wrapped cipher. */
static void take(const OSSL_DISPATCH *beneath)
{
#define TAKE(id, name, as)                                                     \
	case OSSL_FUNC_CIPHER_##id:                                            \
		functions.as = OSSL_FUNC_cipher_##name(beneath);               \
		break;
	switch (beneath->function_id) {
		TAKE(NEWCTX, newctx, newctx)
		TAKE(FREECTX, freectx, freectx)
		TAKE(DUPCTX, dupctx, dupctx)
		TAKE(ENCRYPT_INIT, encrypt_init, encrypt_init)
		TAKE(DECRYPT_INIT, decrypt_init, decrypt_init)
		TAKE(UPDATE, update, update)
		TAKE(FINAL, final, finish)
		TAKE(GET_CTX_PARAMS, get_ctx_params, get_ctx_params)
		TAKE(SET_CTX_PARAMS, set_ctx_params, set_ctx_params)
	default: /* the lists of parameters, which TLS does not read */
		break;
	}
#undef TAKE
}

const OSSL_DISPATCH *tls_chacha_over(
	const OSSL_DISPATCH *beneath, void *provctx)
{
	/* As `functions`. */
	static OSSL_DISPATCH over[] = {{OSSL_FUNC_CIPHER_GET_PARAMS, NULL},
		{OSSL_FUNC_CIPHER_NEWCTX, (void (*)(void))newctx},
		{OSSL_FUNC_CIPHER_FREECTX, (void (*)(void))freectx},
		{OSSL_FUNC_CIPHER_DUPCTX, (void (*)(void))dupctx},
		{OSSL_FUNC_CIPHER_ENCRYPT_INIT, (void (*)(void))encrypt_init},
		{OSSL_FUNC_CIPHER_DECRYPT_INIT, (void (*)(void))decrypt_init},
		{OSSL_FUNC_CIPHER_UPDATE, (void (*)(void))update},
		{OSSL_FUNC_CIPHER_FINAL, (void (*)(void))finish},
		{OSSL_FUNC_CIPHER_GET_CTX_PARAMS,
			(void (*)(void))get_ctx_params},
		{OSSL_FUNC_CIPHER_SET_CTX_PARAMS,
			(void (*)(void))set_ctx_params},
		{0, NULL}};

	memset(&functions, 0, sizeof(functions));
	functions.provctx = provctx;
	over[0].function = NULL;
	for (; beneath->function_id; beneath++) {
		if (beneath->function_id == OSSL_FUNC_CIPHER_GET_PARAMS)
			over[0].function = beneath->function;
		else
			take(beneath);
	}
	return functions.newctx && functions.freectx && functions.dupctx &&
			       functions.encrypt_init &&
			       functions.decrypt_init && functions.update &&
			       functions.finish && functions.get_ctx_params &&
			       functions.set_ctx_params && over[0].function
		       ? over
		       : NULL;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* ECDSA on the curve P-384 by Nettle, for OpenSSL. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "tls/p384.h"
#include "tls/tls_ecdsa.h"

/* The longest signature: two integers of 49 bytes, and three headers. */
#define SIZE 104

/* What OpenSSL holds as the algorithm's context. */
struct ecdsa {
	void *beneath;    /* owned; the wrapped functions' context */
	EVP_MD_CTX *hash; /* owned; NULL: the key is not on P-384 */
	bool is_private;
	union {
		unsigned char scalar[P384_LEN];
		struct p384_point point;
	} key;
};

/* The wrapped functions; constant once tls_ecdsa_over() has returned.  Global:
 * OpenSSL calls the functions around them without an argument of ours. */
static struct {
	OSSL_LIB_CTX *libctx; /* borrowed */
	OSSL_FUNC_keymgmt_get_params_fn *key_params;
	OSSL_FUNC_signature_newctx_fn *newctx;
	OSSL_FUNC_signature_freectx_fn *freectx;
	OSSL_FUNC_signature_dupctx_fn *dupctx;
	OSSL_FUNC_signature_sign_init_fn *sign_init;
	OSSL_FUNC_signature_sign_fn *sign;
	OSSL_FUNC_signature_verify_init_fn *verify_init;
	OSSL_FUNC_signature_verify_fn *verify;
	OSSL_FUNC_signature_digest_sign_init_fn *digest_sign_init;
	OSSL_FUNC_signature_digest_sign_update_fn *digest_sign_update;
	OSSL_FUNC_signature_digest_sign_final_fn *digest_sign_final;
	OSSL_FUNC_signature_digest_verify_init_fn *digest_verify_init;
	OSSL_FUNC_signature_digest_verify_update_fn *digest_verify_update;
	OSSL_FUNC_signature_digest_verify_final_fn *digest_verify_final;
	OSSL_FUNC_signature_get_ctx_params_fn *get_ctx_params;
	OSSL_FUNC_signature_set_ctx_params_fn *set_ctx_params;
	OSSL_FUNC_signature_gettable_ctx_params_fn *gettable_ctx_params;
	OSSL_FUNC_signature_settable_ctx_params_fn *settable_ctx_params;
} functions;

static void forget_key(struct ecdsa *ecdsa)
{
	EVP_MD_CTX_free(ecdsa->hash);
	ecdsa->hash = NULL;
	OPENSSL_cleanse(&ecdsa->key, sizeof(ecdsa->key));
}

static void freectx(void *vctx)
{
	struct ecdsa *ecdsa = vctx;

	if (!ecdsa)
		return;
	/* Not every provider's freectx accepts NULL. */
	if (ecdsa->beneath)
		functions.freectx(ecdsa->beneath);
	forget_key(ecdsa);
	OPENSSL_free(ecdsa);
}

static void *newctx(void *provctx, const char *properties)
{
	struct ecdsa *ecdsa = OPENSSL_zalloc(sizeof(*ecdsa));

	if (!ecdsa)
		return NULL;
	ecdsa->beneath = functions.newctx(provctx, properties);
	if (ecdsa->beneath)
		return ecdsa;
	OPENSSL_free(ecdsa);
	return NULL;
}

static void *dupctx(void *vctx)
{
	const struct ecdsa *from = vctx;
	struct ecdsa *ecdsa = OPENSSL_memdup(from, sizeof(*from));

	if (!ecdsa)
		return NULL;
	ecdsa->beneath = functions.dupctx(from->beneath);
	ecdsa->hash = from->hash ? EVP_MD_CTX_new() : NULL;
	if (ecdsa->beneath &&
		(!from->hash || (ecdsa->hash && EVP_MD_CTX_copy_ex(ecdsa->hash,
							from->hash))))
		return ecdsa;
	freectx(ecdsa);
	return NULL;
}

/* OSSL_PARAM integers are in the machine's byte order. */
static bool take_number(const OSSL_PARAM *param, unsigned char out[P384_LEN])
{
	const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	const unsigned char *in = param->data;
	const size_t len = param->return_size;

	if (!OSSL_PARAM_modified(param) || len > P384_LEN)
		return false;
	memset(out, 0, P384_LEN);
	for (size_t i = 0; i < len; i++)
		out[P384_LEN - 1 - i] = in[big_endian ? len - 1 - i : i];
	return true;
}

/* Copies the key if it is on P-384.  Returns whether it is. */
static bool take_key(struct ecdsa *ecdsa, void *key, bool is_private)
{
	char group[32] = "";
	unsigned char one[P384_LEN] = {0}, other[P384_LEN] = {0};
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(
			OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group)),
		OSSL_PARAM_BN(is_private ? OSSL_PKEY_PARAM_PRIV_KEY
					 : OSSL_PKEY_PARAM_EC_PUB_X,
			one, sizeof(one)),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_Y, other, sizeof(other)),
		OSSL_PARAM_END};
	bool taken;

	/* Fails for keys of larger curves, whose numbers do not fit. */
	(void)functions.key_params(key, params);
	taken = strcmp(group, P384_NAME) == 0;
	if (is_private)
		taken = taken && take_number(&params[1], ecdsa->key.scalar);
	else
		taken = taken && take_number(&params[1], ecdsa->key.point.x) &&
			take_number(&params[2], ecdsa->key.point.y);
	ecdsa->is_private = is_private;
	OPENSSL_cleanse(one, sizeof(one));
	return taken;
}

/* Reading a key's curve is slow.  The size of its signatures, which the wrapped
 * context knows by now, excludes most other keys quickly. */
static bool is_of_that_size(const struct ecdsa *ecdsa)
{
	size_t size = 0;

	return functions.sign(ecdsa->beneath, NULL, &size, 0, NULL, 0) &&
	       size == SIZE;
}

static int init(
	struct ecdsa *ecdsa, const char *digest, void *key, bool is_private)
{
	EVP_MD *md;

	/* The same key again, for another message. */
	if (!key && ecdsa->hash)
		return EVP_DigestInit_ex2(ecdsa->hash, NULL, NULL);
	forget_key(ecdsa);
	if (!key || !digest || !is_of_that_size(ecdsa) ||
		!take_key(ecdsa, key, is_private))
		return 1;
	md = EVP_MD_fetch(functions.libctx, digest, NULL);
	ecdsa->hash = md ? EVP_MD_CTX_new() : NULL;
	if (ecdsa->hash && !EVP_DigestInit_ex2(ecdsa->hash, md, NULL))
		forget_key(ecdsa);
	EVP_MD_free(md);
	return ecdsa->hash != NULL;
}

static int digest_sign_init(
	void *vctx, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct ecdsa *ecdsa = vctx;

	return functions.digest_sign_init(
		       ecdsa->beneath, digest, key, params) &&
	       init(ecdsa, digest, key, true);
}

static int digest_verify_init(
	void *vctx, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct ecdsa *ecdsa = vctx;

	return functions.digest_verify_init(
		       ecdsa->beneath, digest, key, params) &&
	       init(ecdsa, digest, key, false);
}

static int digest_sign_update(void *vctx, const unsigned char *data, size_t len)
{
	struct ecdsa *ecdsa = vctx;

	return ecdsa->hash ? EVP_DigestUpdate(ecdsa->hash, data, len)
			   : functions.digest_sign_update(
				     ecdsa->beneath, data, len);
}

static int digest_verify_update(
	void *vctx, const unsigned char *data, size_t len)
{
	struct ecdsa *ecdsa = vctx;

	return ecdsa->hash ? EVP_DigestUpdate(ecdsa->hash, data, len)
			   : functions.digest_verify_update(
				     ecdsa->beneath, data, len);
}

/* Writes DER (RFC 3279, section 2.2.3).  Returns its length, or 0. */
static size_t encode(
	const struct p384_signature *signature, unsigned char *out, size_t size)
{
	ECDSA_SIG *both = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature->r, P384_LEN, NULL);
	BIGNUM *s = BN_bin2bn(signature->s, P384_LEN, NULL);
	int len = 0;

	if (both && r && s && ECDSA_SIG_set0(both, r, s)) {
		r = s = NULL;
		len = i2d_ECDSA_SIG(both, NULL);
		if (len > 0 && (size_t)len <= size)
			len = i2d_ECDSA_SIG(both, &out);
		else
			len = 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(both);
	return len > 0 ? (size_t)len : 0;
}

static bool take_part(const BIGNUM *from, unsigned char out[P384_LEN])
{
	return !BN_is_negative(from) &&
	       BN_bn2binpad(from, out, P384_LEN) == P384_LEN;
}

/* Refuses a signature that is not in DER's only valid form. */
static bool decode(
	const unsigned char *der, size_t len, struct p384_signature *signature)
{
	const unsigned char *at = der;
	ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &at, (long)len);
	unsigned char *again = NULL;
	int again_len = both ? i2d_ECDSA_SIG(both, &again) : 0;
	bool good = again_len > 0 && (size_t)again_len == len &&
		    memcmp(again, der, len) == 0 &&
		    take_part(ECDSA_SIG_get0_r(both), signature->r) &&
		    take_part(ECDSA_SIG_get0_s(both), signature->s);

	OPENSSL_free(again);
	ECDSA_SIG_free(both);
	return good;
}

static int digest_sign_final(
	void *vctx, unsigned char *out, size_t *out_len, size_t size)
{
	struct ecdsa *ecdsa = vctx;
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct p384_signature signature;
	unsigned len;

	if (!ecdsa->hash || !out)
		return functions.digest_sign_final(
			ecdsa->beneath, out, out_len, size);
	if (!ecdsa->is_private ||
		!EVP_DigestFinal_ex(ecdsa->hash, digest, &len) ||
		p384_sign(ecdsa->key.scalar, digest, len, &signature) != 0)
		return 0;
	*out_len = encode(&signature, out, size);
	return *out_len > 0;
}

static int digest_verify_final(
	void *vctx, const unsigned char *der, size_t der_len)
{
	struct ecdsa *ecdsa = vctx;
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct p384_signature signature;
	unsigned len;

	if (!ecdsa->hash)
		return functions.digest_verify_final(
			ecdsa->beneath, der, der_len);
	return !ecdsa->is_private &&
	       EVP_DigestFinal_ex(ecdsa->hash, digest, &len) &&
	       decode(der, der_len, &signature) &&
	       p384_verify(&ecdsa->key.point, digest, len, &signature);
}

static int sign_init(void *vctx, void *key, const OSSL_PARAM params[])
{
	struct ecdsa *ecdsa = vctx;

	forget_key(ecdsa);
	return functions.sign_init(ecdsa->beneath, key, params);
}

static int sign(void *vctx, unsigned char *out, size_t *out_len, size_t size,
	const unsigned char *in, size_t len)
{
	const struct ecdsa *ecdsa = vctx;

	return functions.sign(ecdsa->beneath, out, out_len, size, in, len);
}

static int verify_init(void *vctx, void *key, const OSSL_PARAM params[])
{
	struct ecdsa *ecdsa = vctx;

	forget_key(ecdsa);
	return functions.verify_init(ecdsa->beneath, key, params);
}

static int verify(void *vctx, const unsigned char *der, size_t der_len,
	const unsigned char *in, size_t len)
{
	const struct ecdsa *ecdsa = vctx;

	return functions.verify(ecdsa->beneath, der, der_len, in, len);
}

static int get_ctx_params(void *vctx, OSSL_PARAM params[])
{
	const struct ecdsa *ecdsa = vctx;

	return functions.get_ctx_params(ecdsa->beneath, params);
}

static int set_ctx_params(void *vctx, const OSSL_PARAM params[])
{
	const struct ecdsa *ecdsa = vctx;

	return functions.set_ctx_params(ecdsa->beneath, params);
}

static const OSSL_PARAM *gettable_ctx_params(void *vctx, void *provctx)
{
	const struct ecdsa *ecdsa = vctx;
	const OSSL_PARAM *list = functions.gettable_ctx_params(
		ecdsa ? ecdsa->beneath : NULL, provctx);

	return list;
}

static const OSSL_PARAM *settable_ctx_params(void *vctx, void *provctx)
{
	const struct ecdsa *ecdsa = vctx;
	const OSSL_PARAM *list = functions.settable_ctx_params(
		ecdsa ? ecdsa->beneath : NULL, provctx);

	return list;
}

/* The wrapped functions, each by its name in core_dispatch.h in both cases. */
#define FORWARDED(X)                                                           \
	X(NEWCTX, newctx)                                                      \
	X(FREECTX, freectx)                                                    \
	X(DUPCTX, dupctx)                                                      \
	X(SIGN_INIT, sign_init)                                                \
	X(SIGN, sign)                                                          \
	X(VERIFY_INIT, verify_init)                                            \
	X(VERIFY, verify)                                                      \
	X(DIGEST_SIGN_INIT, digest_sign_init)                                  \
	X(DIGEST_SIGN_UPDATE, digest_sign_update)                              \
	X(DIGEST_SIGN_FINAL, digest_sign_final)                                \
	X(DIGEST_VERIFY_INIT, digest_verify_init)                              \
	X(DIGEST_VERIFY_UPDATE, digest_verify_update)                          \
	X(DIGEST_VERIFY_FINAL, digest_verify_final)                            \
	X(GET_CTX_PARAMS, get_ctx_params)                                      \
	X(SET_CTX_PARAMS, set_ctx_params)                                      \
	X(GETTABLE_CTX_PARAMS, gettable_ctx_params)                            \
	X(SETTABLE_CTX_PARAMS, settable_ctx_params)

static bool take_beneath(const OSSL_DISPATCH *beneath)
{
	for (; beneath->function_id; beneath++) {
		switch (beneath->function_id) {
#define TAKE(id, name)                                                         \
	case OSSL_FUNC_SIGNATURE_##id:                                         \
		functions.name = OSSL_FUNC_signature_##name(beneath);          \
		break;
			FORWARDED(TAKE)
#undef TAKE
		default: /* parameters of the digest itself */
			break;
		}
	}
#define HAVE(id, name) functions.name &&
	return FORWARDED(HAVE) true;
#undef HAVE
}

const OSSL_DISPATCH *tls_ecdsa_over(const OSSL_DISPATCH *beneath,
	const OSSL_DISPATCH *keys, OSSL_LIB_CTX *libctx)
{
	static const OSSL_DISPATCH over[] = {
#define OVER(id, name) {OSSL_FUNC_SIGNATURE_##id, (void (*)(void))name},
		FORWARDED(OVER)
#undef OVER
			{0, NULL}};

	memset(&functions, 0, sizeof(functions));
	functions.libctx = libctx;
	for (; keys->function_id; keys++)
		if (keys->function_id == OSSL_FUNC_KEYMGMT_GET_PARAMS)
			functions.key_params =
				OSSL_FUNC_keymgmt_get_params(keys);
	return take_beneath(beneath) && functions.key_params ? over : NULL;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Encrypts and decrypts one record. */

#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "tls/tls_record.h"

static const uint8_t version[] = {3, 3}; /* of TLS 1.2; RFC 8446, 5.2 */

size_t tls_record_body_len(
	const uint8_t header[TLS_RECORD_HEADER], enum tls_record_alert *alert)
{
	size_t len = (size_t)header[3] << 8 | header[4];

	if (header[0] != TLS_RECORD_IS_DATA)
		*alert = TLS_ALERT_UNEXPECTED_MESSAGE;
	else if (memcmp(header + 1, version, sizeof(version)) != 0)
		*alert = TLS_ALERT_DECODE_ERROR;
	else if (len > TLS_RECORD_BODY)
		*alert = TLS_ALERT_RECORD_OVERFLOW;
	else if (len <= TLS_RECORD_TAG) /* not even a type */
		*alert = TLS_ALERT_BAD_RECORD_MAC;
	else
		return len;
	return 0;
}

/* A context for the next record; NULL without memory.  It exists during one
 * record only: freeing it wipes the key. */
static EVP_CIPHER_CTX *begin(const struct tls_record_algorithms *all,
	enum tls_record_suite suite, struct tls_record_keys *keys, bool seals)
{
	EVP_CIPHER_CTX *cx;
	uint8_t nonce[TLS_RECORD_IV];

	if (keys->next == UINT64_MAX)
		return NULL;
	cx = EVP_CIPHER_CTX_new();
	if (!cx)
		return NULL;
	memcpy(nonce, keys->iv, sizeof(nonce));
	for (unsigned i = 0; i < 8; i++)
		nonce[TLS_RECORD_IV - 1 - i] ^= (uint8_t)(keys->next >> 8 * i);
	/* Its number is used up, whatever happens now. */
	keys->next++;
	if (EVP_CipherInit_ex2(cx, all->ciphers[suite], keys->key, nonce, seals,
		    NULL) == 1)
		return cx;
	EVP_CIPHER_CTX_free(cx);
	return NULL;
}

static bool pass(
	EVP_CIPHER_CTX *cx, const uint8_t *header, uint8_t *body, size_t len)
{
	int done = 0, rest = 0;

	return EVP_CipherUpdate(cx, NULL, &done, header, TLS_RECORD_HEADER) ==
		       1 &&
	       EVP_CipherUpdate(cx, body, &done, body, (int)len) == 1 &&
	       (size_t)done == len &&
	       EVP_CipherFinal_ex(cx, body + len, &rest) == 1 && rest == 0;
}

size_t tls_record_seal(const struct tls_record_algorithms *all,
	enum tls_record_suite suite, struct tls_record_keys *keys,
	enum tls_record_type type, const uint8_t *data, size_t len,
	uint8_t *out)
{
	EVP_CIPHER_CTX *cx = begin(all, suite, keys, true);
	size_t inner = len + 1, body = inner + TLS_RECORD_TAG;
	uint8_t *at = out + TLS_RECORD_HEADER;
	bool good;

	out[0] = TLS_RECORD_IS_DATA;
	memcpy(out + 1, version, sizeof(version));
	out[3] = (uint8_t)(body >> 8);
	out[4] = (uint8_t)body;
	if (len)
		memcpy(at, data, len);
	at[len] = (uint8_t)type;
	good = cx && pass(cx, out, at, inner) &&
	       EVP_CIPHER_CTX_ctrl(cx, EVP_CTRL_AEAD_GET_TAG, TLS_RECORD_TAG,
		       at + inner) == 1;
	EVP_CIPHER_CTX_free(cx);
	if (good)
		return TLS_RECORD_HEADER + body;
	OPENSSL_cleanse(at, inner);
	ERR_clear_error();
	return 0;
}

/* Finds the type before the padding (RFC 8446, 5.4). */
static enum tls_record_type strip(
	const uint8_t *inner, size_t *len, enum tls_record_alert *alert)
{
	uint8_t type;

	while (*len > 0 && inner[*len - 1] == 0)
		--*len;
	type = *len > 0 ? inner[--*len] : 0;
	*alert = TLS_ALERT_UNEXPECTED_MESSAGE;
	switch (type) {
	case TLS_RECORD_IS_ALERT:
	case TLS_RECORD_IS_HANDSHAKE:
		/* Only records with data may have none. */
		if (*len == 0)
			return TLS_RECORD_REFUSED;
		break;
	case TLS_RECORD_IS_DATA:
		break;
	default:
		return TLS_RECORD_REFUSED;
	}
	*alert = TLS_ALERT_RECORD_OVERFLOW;
	return *len > TLS_RECORD_DATA ? TLS_RECORD_REFUSED
				      : (enum tls_record_type)type;
}

enum tls_record_type tls_record_open(const struct tls_record_algorithms *all,
	enum tls_record_suite suite, struct tls_record_keys *keys,
	uint8_t *record, size_t body_len, size_t *len,
	enum tls_record_alert *alert)
{
	EVP_CIPHER_CTX *cx = begin(all, suite, keys, false);
	uint8_t *at = record + TLS_RECORD_HEADER;
	size_t inner = body_len - TLS_RECORD_TAG;
	enum tls_record_type type = TLS_RECORD_REFUSED;

	*alert = TLS_ALERT_INTERNAL_ERROR;
	if (cx && EVP_CIPHER_CTX_ctrl(cx, EVP_CTRL_AEAD_SET_TAG, TLS_RECORD_TAG,
			  at + inner) == 1) {
		*alert = TLS_ALERT_BAD_RECORD_MAC;
		if (pass(cx, record, at, inner)) {
			*len = inner;
			type = strip(at, len, alert);
		}
	}
	EVP_CIPHER_CTX_free(cx);
	if (type != TLS_RECORD_REFUSED)
		return type;
	OPENSSL_cleanse(at, body_len);
	ERR_clear_error();
	return TLS_RECORD_REFUSED;
}

/* SPDX-License-Identifier: MPL-2.0 */

#include <assert.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "cluster/messages/seal.h"

#define HMAC_LEN 32

const char *const seal_fault_words[] = {
	[SEAL_GOOD] = "good",
	[SEAL_SHORT] = "short",
	[SEAL_VERSION] = "version",
	[SEAL_GENERATION] = "generation",
	[SEAL_FORGED] = "forged",
	[SEAL_NOT_FOR_US] = "not-for-us",
	[SEAL_MALFORMED] = "malformed",
	[SEAL_UNKNOWN] = "unknown",
	[SEAL_FAILED] = "failed",
	[SEAL_FAULTS] = NULL,
};

const char *seal_fault_word(enum seal_fault fault)
{
	assert((unsigned)fault < SEAL_FAULTS);
	return seal_fault_words[fault];
}

static void put(uint8_t *out, uint64_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(value >> 8 * (len - 1 - i));
}

static uint64_t get(const uint8_t *bytes, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void free_keys(struct seal_key key[3])
{
	for (int i = 0; i < 3; i++) {
		EVP_MAC_CTX_free(key[i].mac);
		EVP_CIPHER_CTX_free(key[i].cipher);
		key[i] = (struct seal_key){NULL, NULL};
	}
}

static EVP_MAC_CTX *keyed_mac(EVP_MAC *hmac, const uint8_t *key)
{
	char digest[] = "SHA2-256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
			OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac);

	if (mac && EVP_MAC_init(mac, key, SEAL_KEY, params))
		return mac;
	EVP_MAC_CTX_free(mac);
	return NULL;
}

static EVP_CIPHER_CTX *keyed_cipher(const EVP_CIPHER *aes, const uint8_t *key)
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();

	if (cipher && EVP_EncryptInit_ex2(cipher, aes, key, NULL, NULL))
		return cipher;
	EVP_CIPHER_CTX_free(cipher);
	return NULL;
}

/* -1: some could not be made. */
static int make_keys(const struct seal_keys *keys, struct seal_key key[3])
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_CIPHER *aes = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
	int made = 0;

	while (hmac && aes && made < 3 &&
		(key[made].mac = keyed_mac(hmac, keys->mac[made])) &&
		(key[made].cipher = keyed_cipher(aes, keys->cipher[made])))
		made++;
	EVP_MAC_free(hmac);
	EVP_CIPHER_free(aes);
	return made == 3 ? 0 : -1;
}

int seal_change(struct seal *seal, const struct seal_keys *keys)
{
	struct seal_key key[3] = {{NULL, NULL}};

	if (make_keys(keys, key) < 0) {
		free_keys(key);
		return -1;
	}
	free_keys(seal->key);
	memcpy(seal->key, key, sizeof(key));
	seal->generation = keys->generation;
	return 0;
}

int seal_init(struct seal *seal, const struct seal_keys *keys, uint64_t self)
{
	*seal = (struct seal){.self = self};
	return seal_change(seal, keys);
}

void seal_finish(struct seal *seal)
{
	free_keys(seal->key);
}

/* Encrypts a body, or decrypts it, which is the same in this mode.  See seal.h
 * for the first block. */
static int encrypt(EVP_CIPHER_CTX *cipher, const struct message *message,
	const uint8_t *in, size_t len, uint8_t *out)
{
	uint8_t block[16];
	int got = 0;

	put(block, message->from, 8);
	put(block + 8, message->counter << 8, 8);
	if (!EVP_EncryptInit_ex2(cipher, NULL, NULL, block, NULL) ||
		(len && !EVP_EncryptUpdate(cipher, out, &got, in, (int)len)))
		return -1;
	return (size_t)got == len ? 0 : -1;
}

/* Keys were set once: an init without one starts again with the same. */
static int tag(EVP_MAC_CTX *mac, const uint8_t *bytes, size_t len,
	uint8_t out[HMAC_LEN])
{
	size_t got = 0;

	if (!EVP_MAC_init(mac, NULL, 0, NULL) ||
		!EVP_MAC_update(mac, bytes, len) ||
		!EVP_MAC_final(mac, out, &got, HMAC_LEN) || got != HMAC_LEN)
		return -1;
	return 0;
}

static void write_head(
	const struct seal *seal, const struct message *message, uint8_t *out)
{
	out[0] = message->version;
	out[1] = (uint8_t)message->type;
	put(out + 2, seal->generation, 4);
	put(out + 6, message->from, 8);
	put(out + 14, message->to, 8);
	put(out + 22, message->counter, 8);
}

size_t seal_close(
	struct seal *seal, struct message *message, uint8_t *out, size_t cap)
{
	uint8_t hmac[HMAC_LEN], body[MESSAGE_MOST];
	size_t len;

	if (cap > MESSAGE_MOST)
		cap = MESSAGE_MOST;
	/* After the last number there is none that was not used before. */
	if (cap < SEAL_HEAD + SEAL_TAG || seal->counter == SEAL_COUNTER_MOST ||
		message_write(message, body, cap - SEAL_HEAD - SEAL_TAG, &len) <
			0)
		return 0;
	message->version = SEAL_VERSION_OWN;
	message->from = seal->self;
	message->counter = ++seal->counter;
	write_head(seal, message, out);
	if (encrypt(seal->key[1].cipher, message, body, len, out + SEAL_HEAD) <
			0 ||
		tag(seal->key[1].mac, out, SEAL_HEAD + len, hmac) < 0)
		return 0;
	memcpy(out + SEAL_HEAD + len, hmac, SEAL_TAG);
	return SEAL_HEAD + len + SEAL_TAG;
}

/* NULL: none is for this generation.  The first and the last one have one
 * neighbour. */
static const struct seal_key *key_of(
	const struct seal *seal, uint32_t generation)
{
	int64_t step = (int64_t)generation - seal->generation;

	return step >= -1 && step <= 1 ? &seal->key[step + 1] : NULL;
}

static enum seal_fault check(const struct seal *seal, const uint8_t *bytes,
	size_t len, const struct seal_key **key)
{
	uint8_t hmac[HMAC_LEN];

	if (len < SEAL_HEAD + SEAL_TAG || len > MESSAGE_MOST)
		return SEAL_SHORT;
	if (bytes[0] >> 4 != SEAL_VERSION_OWN >> 4)
		return SEAL_VERSION;
	*key = key_of(seal, (uint32_t)get(bytes + 2, 4));
	if (!*key)
		return SEAL_GENERATION;
	if (tag((*key)->mac, bytes, len - SEAL_TAG, hmac) < 0)
		return SEAL_FAILED;
	return CRYPTO_memcmp(hmac, bytes + len - SEAL_TAG, SEAL_TAG) == 0
		       ? SEAL_GOOD
		       : SEAL_FORGED;
}

static enum seal_fault open_body(EVP_CIPHER_CTX *cipher, const uint8_t *bytes,
	size_t len, struct message *out)
{
	uint8_t body[MESSAGE_MOST];

	if (!out->from || !out->counter || out->counter > SEAL_COUNTER_MOST)
		return SEAL_MALFORMED;
	if (encrypt(cipher, out, bytes, len, body) < 0)
		return SEAL_FAILED;
	return message_read(body, len, out) == 0 ? SEAL_GOOD : SEAL_MALFORMED;
}

enum seal_fault seal_open(const struct seal *seal, const uint8_t *bytes,
	size_t len, struct message *out)
{
	const struct seal_key *key = NULL;
	enum seal_fault fault = check(seal, bytes, len, &key);

	if (fault != SEAL_GOOD)
		return fault;
	memset(out, 0, sizeof(*out));
	out->version = bytes[0];
	out->type = (enum message_type)bytes[1];
	out->from = get(bytes + 6, 8);
	out->to = get(bytes + 14, 8);
	out->counter = get(bytes + 22, 8);
	if (out->from == seal->self || (out->to && out->to != seal->self))
		return SEAL_NOT_FOR_US;
	if (!message_known(out->type))
		return SEAL_UNKNOWN;
	return open_body(key->cipher, bytes + SEAL_HEAD,
		len - SEAL_HEAD - SEAL_TAG, out);
}

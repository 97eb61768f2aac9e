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

static void free_macs(EVP_MAC_CTX *mac[3])
{
	for (int i = 0; i < 3; i++) {
		EVP_MAC_CTX_free(mac[i]);
		mac[i] = NULL;
	}
}

static EVP_MAC_CTX *keyed(EVP_MAC *hmac, const uint8_t *key)
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

int seal_change(struct seal *seal, const struct seal_keys *keys)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac[3] = {NULL, NULL, NULL};
	int made = 0;

	while (hmac && made < 3 && (mac[made] = keyed(hmac, keys->key[made])))
		made++;
	EVP_MAC_free(hmac);
	if (made < 3) {
		free_macs(mac);
		return -1;
	}
	free_macs(seal->mac);
	memcpy(seal->mac, mac, sizeof(mac));
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
	free_macs(seal->mac);
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

size_t seal_close(
	struct seal *seal, struct message *message, uint8_t *out, size_t cap)
{
	uint8_t hmac[HMAC_LEN];
	size_t len;

	/* After the last number there is none that was not used before. */
	if (cap < SEAL_HEAD + SEAL_TAG || seal->counter == UINT64_MAX ||
		message_write(message, out + SEAL_HEAD,
			cap - SEAL_HEAD - SEAL_TAG, &len) < 0)
		return 0;
	message->version = SEAL_VERSION_OWN;
	message->from = seal->self;
	message->counter = ++seal->counter;
	out[0] = message->version;
	out[1] = (uint8_t)message->type;
	put(out + 2, seal->generation, 4);
	put(out + 6, message->from, 8);
	put(out + 14, message->to, 8);
	put(out + 22, message->counter, 8);
	len += SEAL_HEAD;
	if (tag(seal->mac[1], out, len, hmac) < 0)
		return 0;
	memcpy(out + len, hmac, SEAL_TAG);
	return len + SEAL_TAG;
}

/* NULL: none is for this generation.  The first and the last one have one
 * neighbour. */
static EVP_MAC_CTX *mac_of(const struct seal *seal, uint32_t generation)
{
	int64_t step = (int64_t)generation - seal->generation;

	return step >= -1 && step <= 1 ? seal->mac[step + 1] : NULL;
}

static enum seal_fault check(
	const struct seal *seal, const uint8_t *bytes, size_t len)
{
	uint8_t hmac[HMAC_LEN];
	EVP_MAC_CTX *mac;

	if (len < SEAL_HEAD + SEAL_TAG || len > MESSAGE_MOST)
		return SEAL_SHORT;
	if (bytes[0] >> 4 != SEAL_VERSION_OWN >> 4)
		return SEAL_VERSION;
	mac = mac_of(seal, (uint32_t)get(bytes + 2, 4));
	if (!mac)
		return SEAL_GENERATION;
	if (tag(mac, bytes, len - SEAL_TAG, hmac) < 0)
		return SEAL_FAILED;
	return CRYPTO_memcmp(hmac, bytes + len - SEAL_TAG, SEAL_TAG) == 0
		       ? SEAL_GOOD
		       : SEAL_FORGED;
}

enum seal_fault seal_open(const struct seal *seal, const uint8_t *bytes,
	size_t len, struct message *out)
{
	enum seal_fault fault = check(seal, bytes, len);

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
	if (!out->from || !out->counter ||
		message_read(
			bytes + SEAL_HEAD, len - SEAL_HEAD - SEAL_TAG, out) < 0)
		return SEAL_MALFORMED;
	return SEAL_GOOD;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the frame around messages between nodes: what is accepted, and what
 * each change of it is taken for. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "cluster/messages/seal.h"
#include "examples.h"

#define ALICE      0x0102030405060708
#define BOB        0x1112131415161718
#define GENERATION 7

#define KEY_OF(generation)    ((uint8_t)(0x20 + (generation)))
#define CIPHER_OF(generation) ((uint8_t)(0x60 + (generation)))

/* The call of OpenSSL that fails, from 1; 0: none. */
static int failing;

EVP_MAC *__real_EVP_MAC_fetch(OSSL_LIB_CTX *, const char *, const char *);
EVP_MAC *__wrap_EVP_MAC_fetch(OSSL_LIB_CTX *, const char *, const char *);
EVP_MAC_CTX *__real_EVP_MAC_CTX_new(EVP_MAC *);
EVP_MAC_CTX *__wrap_EVP_MAC_CTX_new(EVP_MAC *);
int __real_EVP_MAC_init(
	EVP_MAC_CTX *, const unsigned char *, size_t, const OSSL_PARAM[]);
int __wrap_EVP_MAC_init(
	EVP_MAC_CTX *, const unsigned char *, size_t, const OSSL_PARAM[]);
int __real_EVP_MAC_update(EVP_MAC_CTX *, const unsigned char *, size_t);
int __wrap_EVP_MAC_update(EVP_MAC_CTX *, const unsigned char *, size_t);
int __real_EVP_MAC_final(EVP_MAC_CTX *, unsigned char *, size_t *, size_t);
EVP_CIPHER *__real_EVP_CIPHER_fetch(OSSL_LIB_CTX *, const char *, const char *);
EVP_CIPHER *__wrap_EVP_CIPHER_fetch(OSSL_LIB_CTX *, const char *, const char *);
EVP_CIPHER_CTX *__real_EVP_CIPHER_CTX_new(void);
EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void);
int __real_EVP_EncryptInit_ex2(EVP_CIPHER_CTX *, const EVP_CIPHER *,
	const unsigned char *, const unsigned char *, const OSSL_PARAM[]);
int __wrap_EVP_EncryptInit_ex2(EVP_CIPHER_CTX *, const EVP_CIPHER *,
	const unsigned char *, const unsigned char *, const OSSL_PARAM[]);
int __real_EVP_EncryptUpdate(
	EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int);
int __wrap_EVP_EncryptUpdate(
	EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int);
int __wrap_EVP_MAC_final(EVP_MAC_CTX *, unsigned char *, size_t *, size_t);

static bool fails(void)
{
	return failing > 0 && --failing == 0;
}

EVP_MAC *__wrap_EVP_MAC_fetch(
	OSSL_LIB_CTX *ctx, const char *name, const char *properties)
{
	return fails() ? NULL : __real_EVP_MAC_fetch(ctx, name, properties);
}

EVP_MAC_CTX *__wrap_EVP_MAC_CTX_new(EVP_MAC *mac)
{
	return fails() ? NULL : __real_EVP_MAC_CTX_new(mac);
}

int __wrap_EVP_MAC_init(EVP_MAC_CTX *mac, const unsigned char *key, size_t len,
	const OSSL_PARAM params[])
{
	return fails() ? 0 : __real_EVP_MAC_init(mac, key, len, params);
}

int __wrap_EVP_MAC_update(
	EVP_MAC_CTX *mac, const unsigned char *data, size_t len)
{
	return fails() ? 0 : __real_EVP_MAC_update(mac, data, len);
}

int __wrap_EVP_MAC_final(
	EVP_MAC_CTX *mac, unsigned char *out, size_t *len, size_t size)
{
	return fails() ? 0 : __real_EVP_MAC_final(mac, out, len, size);
}

EVP_CIPHER *__wrap_EVP_CIPHER_fetch(
	OSSL_LIB_CTX *ctx, const char *name, const char *properties)
{
	return fails() ? NULL : __real_EVP_CIPHER_fetch(ctx, name, properties);
}

EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void)
{
	return fails() ? NULL : __real_EVP_CIPHER_CTX_new();
}

int __wrap_EVP_EncryptInit_ex2(EVP_CIPHER_CTX *cipher, const EVP_CIPHER *type,
	const unsigned char *key, const unsigned char *iv,
	const OSSL_PARAM params[])
{
	return fails() ? 0
		       : __real_EVP_EncryptInit_ex2(
				 cipher, type, key, iv, params);
}

int __wrap_EVP_EncryptUpdate(EVP_CIPHER_CTX *cipher, unsigned char *out,
	int *out_len, const unsigned char *in, int len)
{
	return fails() ? 0
		       : __real_EVP_EncryptUpdate(
				 cipher, out, out_len, in, len);
}

static struct seal_keys keys_of(uint32_t generation)
{
	struct seal_keys keys = {.generation = generation};

	for (uint32_t i = 0; i < 3; i++) {
		memset(keys.mac[i], KEY_OF(generation + i - 1), SEAL_KEY);
		memset(keys.cipher[i], CIPHER_OF(generation + i - 1), SEAL_KEY);
	}
	return keys;
}

/* Of generation GENERATION + `step`. */
static struct seal seal_of(uint64_t self, int step)
{
	struct seal_keys keys = keys_of((uint32_t)(GENERATION + step));
	struct seal seal;

	assert_int_equal(seal_init(&seal, &keys, self), 0);
	return seal;
}

/* A message of Alice for Bob. */
static size_t sealed(enum message_type type, uint8_t *out)
{
	struct seal alice = seal_of(ALICE, 0);
	struct message message = example(type);
	size_t len;

	message.to = BOB;
	len = seal_close(&alice, &message, out, MESSAGE_MOST);
	assert_true(len > 0);
	seal_finish(&alice);
	return len;
}

/* The same key, but by another function of OpenSSL. */
static void sign_again(uint8_t *bytes, size_t len)
{
	uint8_t hmac[32], key[SEAL_KEY];
	unsigned got;

	memset(key, KEY_OF(GENERATION), SEAL_KEY);
	assert_non_null(HMAC(EVP_sha256(), key, SEAL_KEY, bytes, len - SEAL_TAG,
		hmac, &got));
	memcpy(bytes + len - SEAL_TAG, hmac, SEAL_TAG);
}

/* Decrypts the body by hand: block by block, in the mode that has no counter of
 * its own. */
static void decrypt(uint8_t *bytes, size_t len)
{
	size_t most = len - SEAL_HEAD - SEAL_TAG;
	uint8_t key[SEAL_KEY], stream[16], block[16];
	EVP_CIPHER_CTX *aes = __real_EVP_CIPHER_CTX_new();
	int got;

	memset(key, CIPHER_OF(GENERATION), SEAL_KEY);
	assert_true(aes && EVP_EncryptInit_ex(
				   aes, EVP_aes_256_ecb(), NULL, key, NULL));
	for (size_t i = 0; i < most; i++) {
		memcpy(block, bytes + 6, 8);      /* the sender */
		memcpy(block + 8, bytes + 23, 7); /* the counter */
		block[15] = (uint8_t)(i / 16);
		if (i % 16 == 0)
			assert_true(__real_EVP_EncryptUpdate(
				aes, stream, &got, block, 16));
		bytes[SEAL_HEAD + i] ^= stream[i % 16];
	}
	EVP_CIPHER_CTX_free(aes);
}

static enum seal_fault opened_by(
	const struct seal *seal, const uint8_t *bytes, size_t len)
{
	struct message out;
	uint8_t *copy = malloc(len ? len : 1);
	enum seal_fault fault;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	fault = seal_open(seal, copy, len, &out);
	free(copy);
	return fault;
}

static enum seal_fault opened(const uint8_t *bytes, size_t len)
{
	struct seal bob = seal_of(BOB, 0);
	enum seal_fault fault = opened_by(&bob, bytes, len);

	seal_finish(&bob);
	return fault;
}

static void the_frame_is_as_documented(void **state)
{
	static const uint8_t want[] = {0x10, 2, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7,
		8, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0, 0, 0, 0,
		0, 0, 0, 1};
	uint8_t bytes[MESSAGE_MOST], again[MESSAGE_MOST];
	size_t len = sealed(MESSAGE_HELLO, bytes);

	(void)state;
	assert_int_equal(len, SEAL_HEAD + SEAL_TAG);
	assert_memory_equal(bytes, want, sizeof(want));
	memcpy(again, bytes, len);
	sign_again(again, len);
	assert_memory_equal(bytes, again, len);
}

static void the_body_is_encrypted(void **state)
{
	(void)state;
	for (unsigned type = 1; type < MESSAGE_TYPES; type++) {
		uint8_t bytes[MESSAGE_MOST], body[MESSAGE_MOST];
		size_t len = sealed((enum message_type)type, bytes), size;
		struct message in = example((enum message_type)type);

		assert_int_equal(
			message_write(&in, body, MESSAGE_MOST, &size), 0);
		assert_int_equal(len, SEAL_HEAD + size + SEAL_TAG);
		if (size)
			assert_memory_not_equal(bytes + SEAL_HEAD, body, size);
		decrypt(bytes, len);
		assert_memory_equal(bytes + SEAL_HEAD, body, size);
	}
}

/* What is the same in two messages looks different. */
static void no_two_messages_are_encrypted_alike(void **state)
{
	struct seal alice = seal_of(ALICE, 0), bob = seal_of(BOB, 0);
	struct seal *from[] = {&alice, &alice, &alice, &bob, &bob};
	const struct seal_keys next = keys_of(GENERATION + 1);
	struct message message = example(MESSAGE_LEASE);
	uint8_t bytes[5][MESSAGE_MOST];

	(void)state;
	for (int i = 0; i < 5; i++) {
		size_t len;

		/* The key changes, and with it what was the same before. */
		if (i == 2)
			assert_int_equal(seal_change(&alice, &next), 0);
		len = seal_close(from[i], &message, bytes[i], MESSAGE_MOST);
		assert_true(len > SEAL_HEAD + 8 * 16);
		for (int k = 0; k < i; k++)
			for (size_t at = SEAL_HEAD; at + 16 <= len; at += 16)
				assert_memory_not_equal(
					bytes[i] + at, bytes[k] + at, 16);
	}
	seal_finish(&alice);
	seal_finish(&bob);
}

static void each_message_arrives(void **state)
{
	struct seal bob = seal_of(BOB, 0);

	(void)state;
	for (unsigned type = 1; type < MESSAGE_TYPES; type++) {
		uint8_t bytes[MESSAGE_MOST], body[2][MESSAGE_MOST];
		size_t len = sealed((enum message_type)type, bytes), size[2];
		struct message in = example((enum message_type)type), out;

		assert_int_equal(seal_open(&bob, bytes, len, &out), SEAL_GOOD);
		assert_int_equal(out.type, type);
		assert_int_equal(out.version, SEAL_VERSION_OWN);
		assert_int_equal(out.from, ALICE);
		assert_int_equal(out.to, BOB);
		assert_int_equal(out.counter, 1);
		assert_int_equal(
			message_write(&in, body[0], MESSAGE_MOST, &size[0]), 0);
		assert_int_equal(
			message_write(&out, body[1], MESSAGE_MOST, &size[1]),
			0);
		assert_int_equal(size[0], size[1]);
		assert_memory_equal(body[0], body[1], size[0]);
	}
	seal_finish(&bob);
}

static void each_truncation_is_refused(void **state)
{
	(void)state;
	for (unsigned type = 1; type < MESSAGE_TYPES; type++) {
		uint8_t bytes[MESSAGE_MOST];
		size_t len = sealed((enum message_type)type, bytes);

		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(opened(bytes, cut),
				cut < SEAL_HEAD + SEAL_TAG ? SEAL_SHORT
							   : SEAL_FORGED);
	}
}

static enum seal_fault fault_of_bit(size_t bit)
{
	if (bit < 8)
		return bit >= 4 ? SEAL_VERSION : SEAL_FORGED;
	/* 7 becomes 6, whose key is another one, or is too far away. */
	if (bit / 8 >= 2 && bit / 8 < 6)
		return bit == 5 * 8 ? SEAL_FORGED : SEAL_GENERATION;
	return SEAL_FORGED;
}

static void each_bit_counts(void **state)
{
	struct seal bob = seal_of(BOB, 0);

	(void)state;
	for (unsigned type = 1; type < MESSAGE_TYPES; type++) {
		uint8_t bytes[MESSAGE_MOST];
		size_t len = sealed((enum message_type)type, bytes);

		for (size_t bit = 0; bit < 8 * len; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (opened_by(&bob, bytes, len) != fault_of_bit(bit))
				fail_msg("type %u, bit %zu", type, bit);
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_int_equal(opened_by(&bob, bytes, len), SEAL_GOOD);
	}
	seal_finish(&bob);
}

static void neighbours_in_generation_are_accepted(void **state)
{
	uint8_t bytes[MESSAGE_MOST];
	size_t len = sealed(MESSAGE_ASK, bytes);

	(void)state;
	for (int step = -1; step <= 1; step++) {
		struct seal bob = seal_of(BOB, step);

		assert_int_equal(opened_by(&bob, bytes, len), SEAL_GOOD);
		seal_finish(&bob);
	}
}

static void other_generations_are_not(void **state)
{
	static const uint32_t others[] = {0, GENERATION - 2, GENERATION + 2,
		GENERATION + 0x80000000U, UINT32_MAX};
	uint8_t bytes[MESSAGE_MOST];
	size_t len = sealed(MESSAGE_ASK, bytes);

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct seal bob = seal_of(BOB, 0);

		bob.generation = others[i];
		assert_int_equal(opened_by(&bob, bytes, len), SEAL_GENERATION);
		seal_finish(&bob);
	}
}

/* The first generation and the last one are no neighbours. */
static void generations_do_not_wrap(void **state)
{
	struct message message = example(MESSAGE_HELLO);
	struct seal_keys keys[2] = {keys_of(0), keys_of(0)};
	struct seal first, last;
	uint8_t bytes[MESSAGE_MOST];
	size_t len;

	(void)state;
	keys[1].generation = UINT32_MAX;
	assert_int_equal(seal_init(&first, &keys[0], ALICE), 0);
	assert_int_equal(seal_init(&last, &keys[1], BOB), 0);
	len = seal_close(&first, &message, bytes, sizeof(bytes));
	assert_int_equal(opened_by(&last, bytes, len), SEAL_GENERATION);
	len = seal_close(&last, &message, bytes, sizeof(bytes));
	assert_int_equal(opened_by(&first, bytes, len), SEAL_GENERATION);
	seal_finish(&first);
	seal_finish(&last);
}

static void another_key_is_forged(void **state)
{
	uint8_t bytes[MESSAGE_MOST];
	size_t len = sealed(MESSAGE_LEASE, bytes);
	struct seal_keys keys = keys_of(GENERATION + 1);
	struct seal bob;

	(void)state;
	keys.generation = GENERATION;
	assert_int_equal(seal_init(&bob, &keys, BOB), 0);
	assert_int_equal(opened_by(&bob, bytes, len), SEAL_FORGED);
	seal_finish(&bob);
}

/* It is the HMAC that decides, whatever the rest says. */
static void nothing_is_judged_before_the_hmac(void **state)
{
	uint8_t bytes[MESSAGE_MOST];
	size_t len = sealed(MESSAGE_LEASE, bytes);

	(void)state;
	bytes[1] = 200;                    /* the type */
	memset(bytes + 6, 0, 24);          /* sender, receiver, counter */
	memset(bytes + SEAL_HEAD, 255, 8); /* the name */
	assert_int_equal(opened(bytes, len), SEAL_FORGED);
	sign_again(bytes, len);
	assert_int_equal(opened(bytes, len), SEAL_UNKNOWN);
	bytes[1] = MESSAGE_LEASE;
	sign_again(bytes, len);
	assert_int_equal(opened(bytes, len), SEAL_MALFORMED);
}

static void messages_of_others_are_dropped(void **state)
{
	uint8_t bytes[MESSAGE_MOST];
	size_t len = sealed(MESSAGE_LEASE, bytes);

	(void)state;
	bytes[14] ^= 1; /* the receiver */
	sign_again(bytes, len);
	assert_int_equal(opened(bytes, len), SEAL_NOT_FOR_US);
	memset(bytes + 14, 0, 8);
	sign_again(bytes, len);
	assert_int_equal(opened(bytes, len), SEAL_GOOD);
	memcpy(bytes + 6,
		(const uint8_t[]){
			0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18},
		8); /* the own broadcast */
	sign_again(bytes, len);
	assert_int_equal(opened(bytes, len), SEAL_NOT_FOR_US);
}

/* A number of 8 bytes would give the blocks of another one. */
static void a_counter_has_7_bytes(void **state)
{
	uint8_t bytes[MESSAGE_MOST];
	size_t len = sealed(MESSAGE_HELLO, bytes);

	(void)state;
	bytes[22] = 1;
	sign_again(bytes, len);
	assert_int_equal(opened(bytes, len), SEAL_MALFORMED);
}

static void a_sender_and_a_counter_are_never_0(void **state)
{
	uint8_t bytes[MESSAGE_MOST];
	size_t len = sealed(MESSAGE_HELLO, bytes);

	(void)state;
	bytes[29] = 0;
	sign_again(bytes, len);
	assert_int_equal(opened(bytes, len), SEAL_MALFORMED);
	bytes[29] = 1;
	memset(bytes + 6, 0, 8);
	sign_again(bytes, len);
	assert_int_equal(opened(bytes, len), SEAL_MALFORMED);
}

static void malformed_bodies_are_refused(void **state)
{
	uint8_t bytes[MESSAGE_MOST];
	size_t len = sealed(MESSAGE_LEASE, bytes);
	uint8_t first = (uint8_t)example(MESSAGE_LEASE).lease.name[0];

	(void)state;
	bytes[SEAL_HEAD] ^= first ^ '"';
	sign_again(bytes, len);
	assert_int_equal(opened(bytes, len), SEAL_MALFORMED);
	bytes[SEAL_HEAD] ^= first ^ '"';
	sign_again(bytes, len - 1);
	assert_int_equal(opened(bytes, len - 1), SEAL_MALFORMED);
}

/* What one of a newer version sends: its log can name the sender. */
static void newer_minor_versions_are_understood(void **state)
{
	struct seal bob = seal_of(BOB, 0);
	struct message out;
	uint8_t bytes[MESSAGE_MOST] = {0};
	size_t len = sealed(MESSAGE_CLAIMED, bytes) + 5;

	(void)state;
	for (unsigned minor = 0; minor < 16; minor++) {
		bytes[0] = (uint8_t)((SEAL_VERSION_OWN & 0xf0) | minor);
		sign_again(bytes, len);
		assert_int_equal(seal_open(&bob, bytes, len, &out), SEAL_GOOD);
		assert_int_equal(out.version, bytes[0]);
		assert_int_equal(out.claim.epoch, 0x5152535455565758);
	}
	bytes[1] = MESSAGE_TYPES;
	sign_again(bytes, len);
	assert_int_equal(seal_open(&bob, bytes, len, &out), SEAL_UNKNOWN);
	assert_int_equal(out.type, MESSAGE_TYPES);
	assert_int_equal(out.from, ALICE);
	bytes[1] = 0;
	sign_again(bytes, len);
	assert_int_equal(opened_by(&bob, bytes, len), SEAL_UNKNOWN);
	seal_finish(&bob);
}

static void other_major_versions_are_not(void **state)
{
	uint8_t bytes[MESSAGE_MOST];
	size_t len = sealed(MESSAGE_CLAIMED, bytes);

	(void)state;
	for (unsigned major = 0; major < 16; major++) {
		if (major == SEAL_VERSION_OWN >> 4)
			continue;
		bytes[0] = (uint8_t)(major << 4);
		sign_again(bytes, len);
		assert_int_equal(opened(bytes, len), SEAL_VERSION);
	}
}

static void too_long_a_message_is_refused(void **state)
{
	uint8_t bytes[MESSAGE_MOST + 1] = {0};

	(void)state;
	(void)sealed(MESSAGE_CLAIMED, bytes);
	sign_again(bytes, MESSAGE_MOST);
	assert_int_equal(opened(bytes, MESSAGE_MOST), SEAL_GOOD);
	sign_again(bytes, MESSAGE_MOST + 1);
	assert_int_equal(opened(bytes, MESSAGE_MOST + 1), SEAL_SHORT);
}

static void too_small_a_buffer_is_refused(void **state)
{
	struct seal alice = seal_of(ALICE, 0);

	(void)state;
	for (unsigned type = 1; type < MESSAGE_TYPES; type++) {
		struct message message = example((enum message_type)type);
		uint8_t bytes[MESSAGE_MOST];
		size_t len = sealed((enum message_type)type, bytes);

		for (size_t cap = 0; cap < len; cap++)
			assert_int_equal(
				seal_close(&alice, &message, bytes, cap), 0);
		bytes[len] = 0x55;
		assert_int_equal(seal_close(&alice, &message, bytes, len), len);
		assert_int_equal(bytes[len], 0x55);
	}
	seal_finish(&alice);
}

static void counters_rise_and_end(void **state)
{
	const struct seal_keys next = keys_of(GENERATION + 1);
	struct seal alice = seal_of(ALICE, 0);
	struct message message = example(MESSAGE_HELLO);
	uint8_t bytes[MESSAGE_MOST];

	(void)state;
	for (uint64_t want = 1; want < 300; want++) {
		assert_true(seal_close(&alice, &message, bytes, MESSAGE_MOST));
		assert_int_equal(message.counter, want);
		assert_int_equal(message.from, ALICE);
	}
	/* Other keys, and keys that could not be had, change nothing of it. */
	assert_int_equal(seal_change(&alice, &next), 0);
	assert_true(seal_close(&alice, &message, bytes, MESSAGE_MOST));
	assert_int_equal(message.counter, 300);
	alice.counter = SEAL_COUNTER_MOST - 1;
	assert_true(seal_close(&alice, &message, bytes, MESSAGE_MOST));
	assert_int_equal(message.counter, SEAL_COUNTER_MOST);
	assert_int_equal(seal_close(&alice, &message, bytes, MESSAGE_MOST), 0);
	assert_int_equal(seal_close(&alice, &message, bytes, MESSAGE_MOST), 0);
	seal_finish(&alice);
}

static void keys_change_one_node_after_the_other(void **state)
{
	const struct seal_keys next = keys_of(GENERATION + 1);
	struct seal alice = seal_of(ALICE, 0), bob = seal_of(BOB, 0);
	struct message message = example(MESSAGE_HELLO);
	uint8_t bytes[MESSAGE_MOST];
	size_t len;

	(void)state;
	assert_int_equal(seal_change(&alice, &next), 0);
	len = seal_close(&alice, &message, bytes, MESSAGE_MOST);
	assert_int_equal(opened_by(&bob, bytes, len), SEAL_GOOD);
	len = seal_close(&bob, &message, bytes, MESSAGE_MOST);
	assert_int_equal(opened_by(&alice, bytes, len), SEAL_GOOD);
	seal_finish(&alice);
	seal_finish(&bob);
}

/* How many calls can fail until the work succeeds. */
static void openssl_may_fail(void **state)
{
	const struct seal_keys keys = keys_of(GENERATION);
	struct seal seal;
	int failed = 0;

	(void)state;
	for (failing = 1; seal_init(&seal, &keys, BOB) < 0;
		failing = ++failed + 1) {
		assert_null(seal.key[0].mac);
		assert_null(seal.key[0].cipher);
		seal_finish(&seal);
	}
	failing = 0;
	assert_int_equal(failed, 2 + 3 * 4);
	seal_finish(&seal);
}

static void messages_survive_failures_of_openssl(void **state)
{
	const struct seal_keys next = keys_of(GENERATION + 1);
	struct seal alice = seal_of(ALICE, 0), bob = seal_of(BOB, 0);
	struct message message = example(MESSAGE_LEASE), out;
	uint8_t bytes[MESSAGE_MOST];
	uint64_t before;
	size_t len;

	(void)state;
	for (int call = 1; call <= 5; call++) {
		before = alice.counter;
		failing = call;
		assert_int_equal(
			seal_close(&alice, &message, bytes, MESSAGE_MOST), 0);
		len = seal_close(&alice, &message, bytes, MESSAGE_MOST);
		assert_true(message.counter > before);
		failing = call;
		assert_int_equal(
			seal_open(&bob, bytes, len, &out), SEAL_FAILED);
		assert_int_equal(seal_open(&bob, bytes, len, &out), SEAL_GOOD);
	}
	failing = 1;
	assert_int_equal(seal_change(&bob, &next), -1);
	assert_int_equal(bob.generation, GENERATION);
	assert_int_equal(seal_open(&bob, bytes, len, &out), SEAL_GOOD);
	assert_int_equal(failing, 0);
	seal_finish(&alice);
	seal_finish(&bob);
}

static void each_fault_has_a_word(void **state)
{
	(void)state;
	for (unsigned a = 0; a < SEAL_FAULTS; a++)
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(
				seal_fault_word((enum seal_fault)a),
				seal_fault_word((enum seal_fault)b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_frame_is_as_documented),
		cmocka_unit_test(the_body_is_encrypted),
		cmocka_unit_test(no_two_messages_are_encrypted_alike),
		cmocka_unit_test(each_message_arrives),
		cmocka_unit_test(each_truncation_is_refused),
		cmocka_unit_test(each_bit_counts),
		cmocka_unit_test(neighbours_in_generation_are_accepted),
		cmocka_unit_test(other_generations_are_not),
		cmocka_unit_test(generations_do_not_wrap),
		cmocka_unit_test(another_key_is_forged),
		cmocka_unit_test(nothing_is_judged_before_the_hmac),
		cmocka_unit_test(messages_of_others_are_dropped),
		cmocka_unit_test(a_counter_has_7_bytes),
		cmocka_unit_test(a_sender_and_a_counter_are_never_0),
		cmocka_unit_test(malformed_bodies_are_refused),
		cmocka_unit_test(newer_minor_versions_are_understood),
		cmocka_unit_test(other_major_versions_are_not),
		cmocka_unit_test(too_long_a_message_is_refused),
		cmocka_unit_test(too_small_a_buffer_is_refused),
		cmocka_unit_test(counters_rise_and_end),
		cmocka_unit_test(keys_change_one_node_after_the_other),
		cmocka_unit_test(openssl_may_fail),
		cmocka_unit_test(messages_survive_failures_of_openssl),
		cmocka_unit_test(each_fault_has_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

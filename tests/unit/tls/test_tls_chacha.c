/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the cipher that stores only the key between records. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "tls/tls_chacha.h"

#define NAME     "ChaCha20-Poly1305"
#define TAG      16
#define RECORDS  3
#define TEXT_LEN 100
#define AAD_LEN  13

static struct {
	OSSL_PROVIDER *full, *lean;
	OSSL_LIB_CTX *libctx;
	OSSL_ALGORITHM algorithms[2];
	OSSL_DISPATCH beneath[64];
	OSSL_FUNC_cipher_newctx_fn *newctx;
	OSSL_FUNC_cipher_freectx_fn *freectx;
	OSSL_FUNC_cipher_encrypt_init_fn *encrypt_init;
	int states; /* alive beneath */
	int fails;  /* setting the key of OpenSSL's state fails */
} test;

static const unsigned char key[32] = "a key of thirty-two bytes, as is";
static const unsigned char text[TEXT_LEN] = "what a device says";

static void *counted_newctx(void *provctx)
{
	void *state = test.newctx(provctx);

	test.states += state != NULL;
	return state;
}

static void counted_freectx(void *state)
{
	test.states -= state != NULL;
	test.freectx(state);
}

static int failing_init(void *state, const unsigned char *with, size_t len,
	const unsigned char *nonce, size_t nonce_len, const OSSL_PARAM params[])
{
	return !test.fails &&
	       test.encrypt_init(state, with, len, nonce, nonce_len, params);
}

static const OSSL_ALGORITHM *query(void *ctx, int operation, int *no_cache)
{
	(void)ctx;
	*no_cache = 0;
	return operation == OSSL_OP_CIPHER ? test.algorithms : NULL;
}

static int provider_init(const OSSL_CORE_HANDLE *handle,
	const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **ctx)
{
	static const OSSL_DISPATCH functions[] = {
		{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
		{0, NULL}};

	(void)handle;
	(void)in;
	*out = functions;
	*ctx = OSSL_PROVIDER_get0_provider_ctx(test.full);
	return 1;
}

static const OSSL_ALGORITHM *theirs(void)
{
	int no_cache;
	const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(
		test.full, OSSL_OP_CIPHER, &no_cache);

	while (strcmp(all->algorithm_names, NAME) != 0)
		all++;
	return all;
}

/* OpenSSL's functions, with a count of the states that exist. */
static void count_states(const OSSL_DISPATCH *from)
{
	for (OSSL_DISPATCH *to = test.beneath; from->function_id; from++) {
		*to = *from;
		if (to->function_id == OSSL_FUNC_CIPHER_NEWCTX) {
			test.newctx = OSSL_FUNC_cipher_newctx(from);
			to->function = (void (*)(void))counted_newctx;
		} else if (to->function_id == OSSL_FUNC_CIPHER_FREECTX) {
			test.freectx = OSSL_FUNC_cipher_freectx(from);
			to->function = (void (*)(void))counted_freectx;
		} else if (to->function_id == OSSL_FUNC_CIPHER_ENCRYPT_INIT) {
			test.encrypt_init = OSSL_FUNC_cipher_encrypt_init(from);
			to->function = (void (*)(void))failing_init;
		}
		to++;
	}
}

static int set_up(void **state)
{
	(void)state;
	test.full = OSSL_PROVIDER_load(NULL, "default");
	test.libctx = OSSL_LIB_CTX_new();
	count_states(theirs()->implementation);
	test.algorithms[0] = *theirs();
	test.algorithms[0].implementation = tls_chacha_over(
		test.beneath, OSSL_PROVIDER_get0_provider_ctx(test.full));
	if (!test.algorithms[0].implementation ||
		OSSL_PROVIDER_add_builtin(test.libctx, "lean", provider_init) !=
			1)
		return -1;
	test.lean = OSSL_PROVIDER_load(test.libctx, "lean");
	return test.lean ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	OSSL_PROVIDER_unload(test.lean);
	OSSL_LIB_CTX_free(test.libctx);
	OSSL_PROVIDER_unload(test.full);
	return 0;
}

/* Called in TLS's order: the direction, the nonce's length, the key. */
static EVP_CIPHER_CTX *keyed(OSSL_LIB_CTX *libctx, int encrypts)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, NAME, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	assert_non_null(cipher);
	assert_non_null(ctx);
	assert_int_equal(
		EVP_CipherInit_ex(ctx, cipher, NULL, NULL, NULL, encrypts), 1);
	assert_true(EVP_CIPHER_CTX_ctrl(
			    ctx, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL) > 0);
	assert_int_equal(EVP_CipherInit_ex(ctx, NULL, NULL, key, NULL, -1), 1);
	EVP_CIPHER_free(cipher);
	return ctx;
}

static int begin(EVP_CIPHER_CTX *ctx, int number, int encrypts)
{
	unsigned char nonce[12] = {(unsigned char)number};

	assert_int_equal(EVP_CIPHER_CTX_get_iv_length(ctx), sizeof(nonce));
	return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, nonce, encrypts);
}

static int seal(EVP_CIPHER_CTX *ctx, int number, unsigned char *out)
{
	int len = 0, rest = 0;

	return begin(ctx, number, 1) == 1 &&
	       EVP_CipherUpdate(ctx, NULL, &len, key, AAD_LEN) == 1 &&
	       EVP_CipherUpdate(ctx, out, &len, text, TEXT_LEN) == 1 &&
	       EVP_CipherFinal_ex(ctx, out + len, &rest) == 1 &&
	       len + rest == TEXT_LEN &&
	       EVP_CIPHER_CTX_ctrl(
		       ctx, EVP_CTRL_AEAD_GET_TAG, TAG, out + TEXT_LEN) > 0;
}

static int open_record(EVP_CIPHER_CTX *ctx, int number, unsigned char *in)
{
	unsigned char out[TEXT_LEN];
	int len = 0, rest = 0;

	return begin(ctx, number, 0) == 1 &&
	       EVP_CIPHER_CTX_ctrl(
		       ctx, EVP_CTRL_AEAD_SET_TAG, TAG, in + TEXT_LEN) > 0 &&
	       EVP_CipherUpdate(ctx, NULL, &len, key, AAD_LEN) == 1 &&
	       EVP_CipherUpdate(ctx, out, &len, in, TEXT_LEN) == 1 &&
	       EVP_CipherFinal_ex(ctx, out + len, &rest) == 1 &&
	       memcmp(out, text, TEXT_LEN) == 0;
}

static void records_are_the_same_as_openssls(void **state)
{
	EVP_CIPHER_CTX *ours = keyed(test.libctx, 1), *full = keyed(NULL, 1);
	EVP_CIPHER_CTX *reader = keyed(test.libctx, 0);
	unsigned char mine[TEXT_LEN + TAG], other[TEXT_LEN + TAG];

	(void)state;
	for (int i = 0; i < RECORDS; i++) {
		assert_true(seal(ours, i, mine));
		assert_true(seal(full, i, other));
		assert_memory_equal(mine, other, sizeof(mine));
		assert_true(open_record(reader, i, other));
	}
	EVP_CIPHER_CTX_free(ours);
	EVP_CIPHER_CTX_free(full);
	EVP_CIPHER_CTX_free(reader);
	assert_int_equal(test.states, 0);
}

static void nothing_is_kept_between_records(void **state)
{
	EVP_CIPHER_CTX *writer = keyed(test.libctx, 1);
	EVP_CIPHER_CTX *reader = keyed(test.libctx, 0);
	unsigned char record[TEXT_LEN + TAG];
	int len;

	(void)state;
	assert_int_equal(test.states, 0);
	for (int i = 0; i < RECORDS; i++) {
		assert_int_equal(begin(writer, i, 1), 1);
		assert_int_equal(
			EVP_CipherUpdate(writer, NULL, &len, key, AAD_LEN), 1);
		assert_int_equal(test.states, 1);
		assert_true(seal(writer, i, record));
		assert_true(open_record(reader, i, record));
		assert_int_equal(test.states, 0);
	}
	EVP_CIPHER_CTX_free(writer);
	EVP_CIPHER_CTX_free(reader);
}

static void a_wrong_tag_is_found(void **state)
{
	EVP_CIPHER_CTX *writer = keyed(test.libctx, 1);
	EVP_CIPHER_CTX *reader = keyed(test.libctx, 0);
	unsigned char record[TEXT_LEN + TAG];

	(void)state;
	assert_true(seal(writer, 1, record));
	record[TEXT_LEN + 3] ^= 1;
	assert_false(open_record(reader, 1, record));
	record[TEXT_LEN + 3] ^= 1;
	assert_false(open_record(reader, 2, record));
	assert_true(open_record(reader, 1, record));
	EVP_CIPHER_CTX_free(writer);
	EVP_CIPHER_CTX_free(reader);
}

static void a_nonce_does_not_serve_twice(void **state)
{
	EVP_CIPHER_CTX *writer = keyed(test.libctx, 1);
	unsigned char record[TEXT_LEN + TAG];
	int len;

	(void)state;
	assert_int_equal(
		EVP_CipherUpdate(writer, record, &len, text, TEXT_LEN), 0);
	assert_true(seal(writer, 1, record));
	assert_int_equal(
		EVP_CipherUpdate(writer, record, &len, text, TEXT_LEN), 0);
	assert_int_equal(EVP_CipherFinal_ex(writer, record, &len), 0);
	assert_true(seal(writer, 2, record));
	EVP_CIPHER_CTX_free(writer);
	assert_int_equal(test.states, 0);
}

static void a_copy_goes_on_by_itself(void **state)
{
	EVP_CIPHER_CTX *writer = keyed(test.libctx, 1);
	EVP_CIPHER_CTX *copy = EVP_CIPHER_CTX_new();
	unsigned char mine[TEXT_LEN + TAG], other[TEXT_LEN + TAG];

	(void)state;
	assert_int_equal(EVP_CIPHER_CTX_copy(copy, writer), 1);
	assert_true(seal(writer, 1, mine));
	assert_true(seal(copy, 1, other));
	assert_memory_equal(mine, other, sizeof(mine));
	EVP_CIPHER_CTX_free(copy);
	EVP_CIPHER_CTX_free(writer);
	assert_int_equal(test.states, 0);
}

static void without_a_state_nothing_is_written(void **state)
{
	EVP_CIPHER_CTX *writer = keyed(test.libctx, 1);
	unsigned char record[TEXT_LEN + TAG];
	int len;

	(void)state;
	test.fails = 1;
	assert_false(EVP_CipherInit_ex(writer, NULL, NULL, NULL, key, 1) == 1 &&
		     EVP_CipherUpdate(writer, record, &len, text, TEXT_LEN));
	test.fails = 0;
	assert_int_equal(
		EVP_CipherUpdate(writer, record, &len, text, TEXT_LEN), 0);
	assert_true(seal(writer, 1, record));
	EVP_CIPHER_CTX_free(writer);
	assert_int_equal(test.states, 0);
}

static void a_function_that_is_missing_is_told(void **state)
{
	static const OSSL_DISPATCH few[] = {{0, NULL}};

	(void)state;
	assert_null(tls_chacha_over(few, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_the_same_as_openssls),
		cmocka_unit_test(nothing_is_kept_between_records),
		cmocka_unit_test(a_wrong_tag_is_found),
		cmocka_unit_test(a_nonce_does_not_serve_twice),
		cmocka_unit_test(a_copy_goes_on_by_itself),
		cmocka_unit_test(without_a_state_nothing_is_written),
		cmocka_unit_test(a_function_that_is_missing_is_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

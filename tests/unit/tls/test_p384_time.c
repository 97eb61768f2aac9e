/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Signs with the key and the nonce as secrets, for secret_branches.py, which
 * runs it in valgrind: to memcheck, a secret is memory without a value, and it
 * reports every branch and every address that depends on it, in Nettle and GMP,
 * too.
 *
 *     test_p384_time signs       only signs
 *     test_p384_time branches    the same, with a branch on a bit of the key
 *     test_p384_time looks-up    the same, with an address that the nonce gives
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/memcheck.h>

#include "tls/p384.h"
#include "tls/p384_limbs.h"
#include "tls/p384_nonce.h"
#include "tls/tls_random.h"

#define SIGNATURES 3

/* RFC 6979, appendix A.2.6. */
static const unsigned char secret[P384_LEN] = {0x6b, 0x9d, 0x3d, 0xad, 0x2e,
	0x1b, 0x8c, 0x1c, 0x05, 0xb1, 0x98, 0x75, 0xb6, 0x65, 0x9f, 0x4d, 0xe2,
	0x3c, 0x3b, 0x66, 0x7b, 0xf2, 0x97, 0xba, 0x9a, 0xa4, 0x77, 0x40, 0x78,
	0x71, 0x37, 0xd8, 0x96, 0xd5, 0x72, 0x4e, 0x4c, 0x70, 0xa8, 0x25, 0xf8,
	0x72, 0xc9, 0xea, 0x60, 0xd2, 0xed, 0xf5};
static const struct p384_point public = {
	{0xec, 0x3a, 0x4e, 0x41, 0x5b, 0x4e, 0x19, 0xa4, 0x56, 0x86, 0x18, 0x02,
		0x9f, 0x42, 0x7f, 0xa5, 0xda, 0x9a, 0x8b, 0xc4, 0xae, 0x92,
		0xe0, 0x2e, 0x06, 0xaa, 0xe5, 0x28, 0x6b, 0x30, 0x0c, 0x64,
		0xde, 0xf8, 0xf0, 0xea, 0x90, 0x55, 0x86, 0x60, 0x64, 0xa2,
		0x54, 0x51, 0x54, 0x80, 0xbc, 0x13},
	{0x80, 0x15, 0xd9, 0xb7, 0x2d, 0x7d, 0x57, 0x24, 0x4e, 0xa8, 0xef, 0x9a,
		0xc0, 0xc6, 0x21, 0x89, 0x67, 0x08, 0xa5, 0x93, 0x67, 0xf9,
		0xdf, 0xb9, 0xf5, 0x4c, 0xa8, 0x4b, 0x3f, 0x1c, 0x9d, 0xb1,
		0x28, 0x8b, 0x23, 0x1c, 0x3a, 0xe0, 0xd4, 0xfe, 0x73, 0x44,
		0xfd, 0x25, 0x33, 0x26, 0x47, 0x20}};

static enum { SIGNS, BRANCHES, LOOKS_UP } plan;
static volatile unsigned seen;
static volatile const unsigned char table[256];

/* The linker (--wrap) calls these instead. */
int __wrap_tls_random_fill(unsigned char *out, size_t len);
int __real_tls_random_fill(unsigned char *out, size_t len);
bool __wrap_p384_is_scalar(const mp_limb_t number[P384_LIMBS]);
bool __real_p384_is_scalar(const mp_limb_t number[P384_LIMBS]);
void __wrap_p384_nonce_next(struct p384_nonce *nonce, size_t len, uint8_t *out);
void __real_p384_nonce_next(struct p384_nonce *nonce, size_t len, uint8_t *out);

int __wrap_tls_random_fill(unsigned char *out, size_t len)
{
	int result = __real_tls_random_fill(out, len);

	(void)VALGRIND_MAKE_MEM_UNDEFINED(out, len);
	return result;
}

/* The answer is no secret: that the key is valid is known, a nonce that is not
 * is thrown away, and r and s are sent. */
bool __wrap_p384_is_scalar(const mp_limb_t number[P384_LIMBS])
{
	bool good = __real_p384_is_scalar(number);

	(void)VALGRIND_MAKE_MEM_DEFINED(&good, sizeof(good));
	return good;
}

void __wrap_p384_nonce_next(struct p384_nonce *nonce, size_t len, uint8_t *out)
{
	__real_p384_nonce_next(nonce, len, out);
	if (plan == LOOKS_UP)
		seen += table[out[0]];
}

/* Exits with 0 if the signatures are right. */
static int sign(void)
{
	unsigned char key[P384_LEN], digest[64];
	struct p384_signature signature;
	bool good = true;

	for (size_t i = 0; i < SIGNATURES && good; i++) {
		size_t len = 20 + 22 * i;

		memset(digest, 0x5a + (int)i, sizeof(digest));
		memcpy(key, secret, sizeof(key));
		(void)VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof(key));
		if (plan == BRANCHES && key[P384_LEN - 1] & 1)
			seen++;
		good = p384_sign(key, digest, len, &signature) == 0;
		(void)VALGRIND_MAKE_MEM_DEFINED(&signature, sizeof(signature));
		good &= p384_verify(&public, digest, len, &signature);
	}
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const char *const plans[] = {"signs", "branches", "looks-up"};

	if (argc != 2)
		return EXIT_FAILURE;
	while (plan < LOOKS_UP && strcmp(argv[1], plans[plan]) != 0)
		plan++;
	return sign();
}

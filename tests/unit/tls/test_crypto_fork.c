/* SPDX-License-Identifier: MPL-2.0 */

/* Random numbers and nonces in the children of a process, and in a program that
 * takes its place: none is drawn twice. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "tls/p384.h"
#include "tls/tls_provider.h"
#include "tls/tls_random.h"

#define CHILDREN 4
#define NUMBER   32
#define KINDS    7

static OSSL_LIB_CTX *ours;
static EVP_PKEY *p256, *p384;
static const char *own_path;
static bool constant;

static const unsigned char key[P384_LEN] = {1, 2, 3};
static const unsigned char text[] = "the same text for all";

/* What one process draws: the beginnings of signatures are their r, which
 * depends on nothing but the nonce. */
struct drawn {
	unsigned char numbers[KINDS][NUMBER];
};

/* The linker (--wrap) calls this instead of the kernel's random numbers. */
int __wrap_tls_random_fill(unsigned char *out, size_t len);
int __real_tls_random_fill(unsigned char *out, size_t len);

int __wrap_tls_random_fill(unsigned char *out, size_t len)
{
	if (!constant)
		return __real_tls_random_fill(out, len);
	memset(out, 7, len);
	return 0;
}

/* The last NUMBER bytes of r in a signature in DER, where one r in 512 is
 * shorter; out is zero before. */
static bool sign(EVP_PKEY *with, OSSL_LIB_CTX *libctx, unsigned char *out)
{
	EVP_MD_CTX *cx = EVP_MD_CTX_new();
	unsigned char der[256];
	size_t len = sizeof(der), n;
	bool good = EVP_DigestSignInit_ex(cx, NULL, "SHA256", libctx, NULL,
			    with, NULL) == 1 &&
		    EVP_DigestSign(cx, der, &len, text, sizeof(text)) == 1;

	if (good) {
		n = der[3] < NUMBER ? der[3] : NUMBER;
		memcpy(out + NUMBER - n, der + 4 + der[3] - n, n);
	}
	EVP_MD_CTX_free(cx);
	return good;
}

static bool draw(struct drawn *out)
{
	struct p384_signature signature;

	memset(out, 0, sizeof(*out));
	if (p384_sign(key, text, sizeof(text), &signature) != 0)
		return false;
	memcpy(out->numbers[0], signature.r, NUMBER);
	return RAND_bytes_ex(ours, out->numbers[1], NUMBER, 0) == 1 &&
	       RAND_priv_bytes_ex(ours, out->numbers[2], NUMBER, 0) == 1 &&
	       RAND_bytes(out->numbers[3], NUMBER) == 1 &&
	       tls_random_fill(out->numbers[4], NUMBER) == 0 &&
	       sign(p256, ours, out->numbers[5]) &&
	       sign(p384, ours, out->numbers[6]);
}

static bool read_all(int fd, struct drawn *out)
{
	size_t got = 0;
	ssize_t n = 1;

	while (got < sizeof(*out) && n > 0) {
		n = read(fd, (char *)out + got, sizeof(*out) - got);
		got += n > 0 ? (size_t)n : 0;
	}
	return got == sizeof(*out);
}

static void give(int fd)
{
	struct drawn drawn;

	_exit(draw(&drawn) && write(fd, &drawn, sizeof(drawn)) ==
					(ssize_t)sizeof(drawn)
			? 0
			: 1);
}

/* A child draws, or the program that takes its place. */
static void draw_elsewhere(bool executes, struct drawn *out)
{
	int fds[2], status = -1;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (child == 0 && executes) {
		if (dup2(fds[1], STDOUT_FILENO) == STDOUT_FILENO)
			(void)execl(own_path, own_path, "draws", (char *)NULL);
		_exit(1);
	}
	if (child == 0)
		give(fds[1]);
	assert_true(child > 0);
	(void)close(fds[1]);
	assert_true(read_all(fds[0], out));
	(void)close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void check_none_twice(const struct drawn *all, size_t count)
{
	for (size_t i = 0; i < count * KINDS; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(
				all[i / KINDS].numbers[i % KINDS],
				all[j / KINDS].numbers[j % KINDS], NUMBER);
}

static void elsewhere_other_numbers_are_drawn(bool executes)
{
	struct drawn all[CHILDREN + 2];

	/* Every generator has a state by now. */
	assert_true(draw(&all[0]));
	for (size_t i = 0; i < CHILDREN; i++)
		draw_elsewhere(executes, &all[1 + i]);
	assert_true(draw(&all[CHILDREN + 1]));
	check_none_twice(all, CHILDREN + 2);
}

static void children_draw_other_numbers(void **state)
{
	(void)state;
	elsewhere_other_numbers_are_drawn(false);
}

static void programs_that_follow_draw_other_numbers(void **state)
{
	(void)state;
	elsewhere_other_numbers_are_drawn(true);
}

/* Even if the kernel's numbers repeat in the child: a nonce depends on the
 * text, so the same nonce means the same signature. */
static void the_same_numbers_give_no_nonce_for_two_texts(void **state)
{
	struct p384_signature mine, other;
	struct drawn theirs;

	(void)state;
	constant = true;
	draw_elsewhere(false, &theirs);
	assert_int_equal(p384_sign(key, text, sizeof(text), &mine), 0);
	assert_int_equal(p384_sign(key, text, sizeof(text) - 1, &other), 0);
	constant = false;
	assert_memory_equal(theirs.numbers[0], mine.r, NUMBER);
	assert_memory_not_equal(theirs.numbers[0], other.r, NUMBER);
}

static int set_up(void **state)
{
	(void)state;
	ours = tls_provider_take();
	p256 = EVP_PKEY_Q_keygen(ours, NULL, "EC", "P-256");
	p384 = EVP_PKEY_Q_keygen(ours, NULL, "EC", "P-384");
	return ours && p256 && p384 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	tls_provider_give(ours);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_draw_other_numbers),
		cmocka_unit_test(programs_that_follow_draw_other_numbers),
		cmocka_unit_test(the_same_numbers_give_no_nonce_for_two_texts),
	};

	own_path = argv[0];
	if (argc > 1) {
		if (set_up(NULL) == 0)
			give(STDOUT_FILENO);
		return EXIT_FAILURE;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

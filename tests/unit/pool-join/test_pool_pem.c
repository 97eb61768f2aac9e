/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the device ID that pool-join reads from cert.pem. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include "pem.h"

static const char certificate[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBfjCCASOgAwIBAgIUaXgPan9tCLqSFlCTkCbihg0k1wIwCgYIKoZIzj0EAwIw\n"
	"FDESMBAGA1UEAwwJc3luY3RoaW5nMB4XDTI2MTEyOTEwMDA1N1oXDTM2MTEyNjEw\n"
	"MDA1N1owFDESMBAGA1UEAwwJc3luY3RoaW5nMFkwEwYHKoZIzj0CAQYIKoZIzj0D\n"
	"AQcDQgAEoKqh8jMLA5yRK7DVCv8tHWsEQ5TD6f0hKeuLqdOTj7mo0NKssZ/lcZsL\n"
	"pw3sJhfgWMcFhiY/Ryr+tcz9he0uJ6NTMFEwHQYDVR0OBBYEFO3Mv/s5ztzyYKS1\n"
	"JZBaXhB0TixUMB8GA1UdIwQYMBaAFO3Mv/s5ztzyYKS1JZBaXhB0TixUMA8GA1Ud\n"
	"EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAOKen2AhANol1oQBA10M29f9\n"
	"VFOBZtGsbKI0NvH4YSjjAiEAnQ1GLFhUDJWdpB/u0xAdQ86CoaiycRaaZy5aHaX9\n"
	"aMk=\n"
	"-----END CERTIFICATE-----\n";

/* The block with that name, of the certificate and the bytes after it. */
static struct request_pem make(
	const char *name, const char *more, uint8_t id[SHA256_DIGEST_LENGTH])
{
	struct request_pem pem = {.data = NULL};
	BIO *in = BIO_new_mem_buf(certificate, -1), *out = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	uint8_t whole[2048];
	char *text;
	long len = 0;

	assert_int_equal(PEM_bytes_read_bio(&der, &len, NULL, PEM_STRING_X509,
				 in, NULL, NULL),
		1);
	assert_true((size_t)len + strlen(more) <= sizeof(whole));
	memcpy(whole, der, (size_t)len);
	memcpy(whole + len, more, strlen(more));
	assert_non_null(SHA256(der, (size_t)len, id));
	assert_true(PEM_write_bio(out, name, "", whole,
			    len + (long)strlen(more)) > 0);
	len = BIO_get_mem_data(out, &text);
	pem.data = malloc((size_t)len);
	assert_non_null(pem.data);
	memcpy(pem.data, text, (size_t)len);
	pem.len = (size_t)len;
	OPENSSL_free(der);
	BIO_free(in);
	BIO_free(out);
	return pem;
}

static void check(const char *name, const char *more)
{
	uint8_t is[SHA256_DIGEST_LENGTH], wanted[SHA256_DIGEST_LENGTH];
	struct request_pem pem = make(name, more, wanted);

	assert_int_equal(pem_identify(&pem, is), 0);
	assert_memory_equal(is, wanted, sizeof(is));
	assert_int_equal(ERR_peek_error(), 0);
	pem_forget(&pem);
}

static void the_id_is_that_of_the_certificate(void **state)
{
	(void)state;
	check("CERTIFICATE", "");
	check("X509 CERTIFICATE", "");
}

/* The server takes such a file, and its ID does not depend on what follows. */
static void bytes_after_the_certificate_do_not_count(void **state)
{
	(void)state;
	check("CERTIFICATE", "more");
}

static void what_is_no_certificate_has_no_id(void **state)
{
	static char text[] = "-----BEGIN CERTIFICATE-----\nAAAA\n"
			     "-----END CERTIFICATE-----\n";
	const struct request_pem pem = {.data = text, .len = sizeof(text) - 1};
	uint8_t id[SHA256_DIGEST_LENGTH];

	(void)state;
	assert_int_equal(pem_identify(&pem, id), -1);
	assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_id_is_that_of_the_certificate),
		cmocka_unit_test(bytes_after_the_certificate_do_not_count),
		cmocka_unit_test(what_is_no_certificate_has_no_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

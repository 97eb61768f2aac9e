/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes the checks of ClientHellos and certificates that run before OpenSSL.
 */

#include <stdbool.h>

#include "fuzz.h"
#include "tls/tls_certificate.h"
#include "tls/tls_hello.h"

/* The result for a prefix may only change if it was "need more". */
static void try_hello(const uint8_t *bytes, size_t len)
{
	size_t half = len / 2;
	enum tls_hello whole = tls_hello_look(bytes, len);
	enum tls_hello part = tls_hello_look(bytes, half);

	FUZZ_CHECK(whole <= TLS_HELLO_OTHER);
	FUZZ_CHECK(part == TLS_HELLO_PART || part == whole);
}

static void try_certificate(const uint8_t *bytes, size_t len)
{
	for (int is_tls13 = 0; is_tls13 < 2; is_tls13++)
		FUZZ_CHECK(tls_certificate_look(bytes, len, is_tls13) <=
			   TLS_CERTIFICATE_COSTLY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A separate block, so that out-of-bounds reads are detected. */
	uint8_t *block = malloc(size ? size : 1);

	FUZZ_CHECK(block);
	if (size)
		memcpy(block, data, size);
	if (size <= TLS_HELLO_ROOM)
		try_hello(block, size);
	try_certificate(block, size);
	free(block);
	return 0;
}

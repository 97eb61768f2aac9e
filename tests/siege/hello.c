/* SPDX-License-Identifier: MPL-2.0 */

/* Gets OpenSSL's first message through a memory buffer. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hello.h"

#define RECORD_MAX    16384U
#define RECORD_HEADER 5U

size_t hello_make(SSL_CTX *tls, int group, uint8_t *out, size_t size)
{
	SSL *ssl = SSL_new(tls);
	BIO *in = BIO_new(BIO_s_mem()), *written = BIO_new(BIO_s_mem());
	int len = 0;

	if (!ssl || !in || !written || SSL_set1_groups(ssl, &group, 1) != 1)
		goto done;
	SSL_set_bio(ssl, in, written);
	in = NULL;
	SSL_set_connect_state(ssl);
	(void)SSL_do_handshake(ssl); /* waits for the server */
	len = BIO_read(written, out, (int)size);
	written = NULL; /* owned by the SSL, like in */
done:
	BIO_free(in);
	BIO_free(written);
	SSL_free(ssl);
	return len > 0 ? (size_t)len : 0;
}

static size_t put_record_header(uint8_t *out, size_t len)
{
	out[0] = 0x16; /* handshake */
	out[1] = 3;
	out[2] = 1;
	out[3] = (uint8_t)(len >> 8);
	out[4] = (uint8_t)(len & 0xff);
	return RECORD_HEADER;
}

uint8_t *hello_make_large(size_t *len)
{
	const size_t payload = 4 + HELLO_ANNOUNCES - 1;
	const size_t records = payload / RECORD_MAX + 1;
	uint8_t *out = calloc(1, payload + records * RECORD_HEADER);
	size_t at = 0, left = payload;
	bool first = true;

	if (!out)
		return NULL;
	while (left) {
		size_t part = left < RECORD_MAX ? left : RECORD_MAX;

		at += put_record_header(out + at, part);
		if (first) {
			out[at] = 1; /* ClientHello */
			out[at + 1] = (uint8_t)(HELLO_ANNOUNCES >> 16);
			out[at + 2] = (uint8_t)(HELLO_ANNOUNCES >> 8 & 0xff);
			out[at + 3] = (uint8_t)(HELLO_ANNOUNCES & 0xff);
			out[at + 4] = out[at + 5] = 3; /* its version: 3.3 */
			first = false;
		}
		at += part;
		left -= part;
	}
	*len = at;
	return out;
}

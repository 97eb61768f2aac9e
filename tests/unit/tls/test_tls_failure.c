/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the reasons of failed TLS handshakes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls/tls_failure.h"

static void each_has_its_kind(void **state)
{
	static const struct {
		int error, reason;
		enum tls_failure want;
	} rows[] = {
		{SSL_ERROR_SYSCALL, 0, TLS_FAILURE_CLOSED},
		{SSL_ERROR_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING,
			TLS_FAILURE_CLOSED},
		{SSL_ERROR_SSL, SSL_R_UNSUPPORTED_PROTOCOL,
			TLS_FAILURE_VERSION},
		{SSL_ERROR_SSL, SSL_R_NO_SHARED_CIPHER, TLS_FAILURE_CIPHER},
		{SSL_ERROR_SSL, SSL_R_NO_APPLICATION_PROTOCOL,
			TLS_FAILURE_ALPN},
		{SSL_ERROR_SSL, SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
			TLS_FAILURE_ALERT},
		{SSL_ERROR_SSL, SSL_R_EXCESSIVE_MESSAGE_SIZE,
			TLS_FAILURE_CERTIFICATE},
		{SSL_ERROR_SSL, SSL_R_HTTP_REQUEST, TLS_FAILURE_OTHER},
		{SSL_ERROR_SSL, SSL_R_WRONG_VERSION_NUMBER, TLS_FAILURE_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			tls_failure(rows[i].error,
				ERR_PACK(ERR_LIB_SSL, 0, rows[i].reason)),
			rows[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

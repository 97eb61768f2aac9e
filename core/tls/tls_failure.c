/* SPDX-License-Identifier: MPL-2.0 */

/* Why a TLS handshake failed. */

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls/tls_failure.h"

const char *const tls_failure_words[TLS_FAILURE_COUNT + 1] = {
	[TLS_FAILURE_CLOSED] = "closed",
	[TLS_FAILURE_TIMEOUT] = "timeout",
	[TLS_FAILURE_VERSION] = "version",
	[TLS_FAILURE_CIPHER] = "cipher",
	[TLS_FAILURE_ALPN] = "alpn",
	[TLS_FAILURE_ALERT] = "alert",
	[TLS_FAILURE_OTHER] = "other",
	[TLS_FAILURE_HELLO] = "hello",
	[TLS_FAILURE_CERTIFICATE] = "certificate",
	[TLS_FAILURE_LATE] = "late",
};

enum tls_failure tls_failure(int error, unsigned long code)
{
	int reason = ERR_GET_REASON(code);

	if (error == SSL_ERROR_SYSCALL ||
		reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return TLS_FAILURE_CLOSED;
	/* The peer refused the handshake by an alert. */
	if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
		return TLS_FAILURE_ALERT;
	switch (reason) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_VERSION_TOO_HIGH:
		return TLS_FAILURE_VERSION;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
		return TLS_FAILURE_CIPHER;
	case SSL_R_NO_APPLICATION_PROTOCOL:
		return TLS_FAILURE_ALPN;
	case SSL_R_EXCESSIVE_MESSAGE_SIZE:
		return TLS_FAILURE_CERTIFICATE;
	default:
		return TLS_FAILURE_OTHER;
	}
}

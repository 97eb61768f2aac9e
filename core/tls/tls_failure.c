/* SPDX-License-Identifier: MPL-2.0 */

/* Why a TLS handshake failed. */

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls/tls_failure.h"

enum core_failure_label tls_failure(int error, unsigned long code)
{
	int reason = ERR_GET_REASON(code);

	if (error == SSL_ERROR_SYSCALL ||
		reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return CORE_FAILURE_CLOSED;
	/* The peer refused us, and said why in an alert. */
	if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
		return CORE_FAILURE_ALERT;
	switch (reason) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_VERSION_TOO_HIGH:
		return CORE_FAILURE_VERSION;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
		return CORE_FAILURE_CIPHER;
	case SSL_R_NO_APPLICATION_PROTOCOL:
		return CORE_FAILURE_ALPN;
	case SSL_R_EXCESSIVE_MESSAGE_SIZE:
		return CORE_FAILURE_CERTIFICATE;
	default:
		return CORE_FAILURE_OTHER;
	}
}

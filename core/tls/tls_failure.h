/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Why a TLS handshake failed, in a few categories that operators can act on.
 */
#ifndef TLS_FAILURE_H
#define TLS_FAILURE_H

enum tls_failure {
	TLS_FAILURE_CLOSED,  /* the peer closed the connection */
	TLS_FAILURE_TIMEOUT, /* it sent nothing more */
	TLS_FAILURE_VERSION, /* it wants another TLS version */
	/* no cipher suite or key exchange that both support */
	TLS_FAILURE_CIPHER,
	TLS_FAILURE_ALPN,  /* it offers no ALPN protocol that we know */
	TLS_FAILURE_ALERT, /* it sent an alert */
	TLS_FAILURE_OTHER, /* anything else, such as data that is not TLS */
	TLS_FAILURE_HELLO, /* too long, or too many key shares */
	/* Its certificate is too long, or too expensive to parse or to
	 * verify. */
	TLS_FAILURE_CERTIFICATE,
	TLS_FAILURE_LATE, /* it waited too long: the peer must have given up */
	TLS_FAILURE_COUNT
};

/* The name of each in the metrics; ended by NULL. */
extern const char *const tls_failure_words[TLS_FAILURE_COUNT + 1];

/* `error` is that of SSL_get_error(), `code` that of ERR_peek_error().
 * Pure. */
enum tls_failure tls_failure(int error, unsigned long code);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Why a TLS handshake failed, in the few words that operators can act on.
 */
#ifndef TLS_FAILURE_H
#define TLS_FAILURE_H

enum tls_failure {
	TLS_FAILURE_CLOSED,  /* the peer went away */
	TLS_FAILURE_TIMEOUT, /* it said nothing more */
	TLS_FAILURE_VERSION, /* it wants another TLS version */
	TLS_FAILURE_CIPHER,  /* nothing that both can */
	TLS_FAILURE_ALPN,    /* it wants another protocol inside */
	TLS_FAILURE_ALERT,   /* it refused, by an alert */
	TLS_FAILURE_OTHER,   /* it is broken, or no TLS at all */
	TLS_FAILURE_HELLO,   /* too long, or too many key shares */
	/* Its certificate is too long, or too dear to read or to verify. */
	TLS_FAILURE_CERTIFICATE,
	TLS_FAILURE_LATE, /* its turn came when it must have given up */
	TLS_FAILURE_COUNT
};

/* A word for each, as metrics have it; ended by NULL. */
extern const char *const tls_failure_words[TLS_FAILURE_COUNT + 1];

/* `error` of SSL_get_error(), `code` of ERR_peek_error().  Pure. */
enum tls_failure tls_failure(int error, unsigned long code);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* Refuses expensive requests before OpenSSL serves them. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/tls1.h>
#include <openssl/x509_vfy.h>

#include "tls/tls_certificate.h"
#include "tls/tls_failure.h"
#include "tls/tls_limits.h"
#include "tls/tls_step.h"

/*
 * Groups for the key exchange.  X448, P-384, P-521 and finite fields are left
 * out: they cost three to twelve times as much, and every client supports one
 * of these.  The hybrid group is used if the library has it, from 3.5 on.
 */
#define GROUPS "X25519:P-256"
#define HYBRID "X25519MLKEM768"
/* Curves of certificates' keys, not of the key exchange. */
#define CURVES GROUPS ":P-384:P-521"

/*
 * Clients send one to three key shares.  OpenSSL looks up each of them in the
 * list of groups that the client offers: 1,600 shares and 4,000 groups fit into
 * a ClientHello.
 */
#define SHARES_MOST 16

static bool too_many_shares(const unsigned char *list, size_t len)
{
	unsigned n = 0;
	size_t at = 2; /* after the length of the list */

	/* RFC 8446, 4.2.8: group, length, key share of that length. */
	while (at + 4 <= len && n <= SHARES_MOST) {
		at += 4 + ((size_t)list[at + 2] << 8 | list[at + 3]);
		n++;
	}
	return n > SHARES_MOST;
}

static int look_at_hello(SSL *ssl, int *alert, void *arg)
{
	const unsigned char *list;
	size_t len;

	(void)arg;
	tls_step_cut();
	if (SSL_client_hello_get0_ext(
		    ssl, TLSEXT_TYPE_key_share, &list, &len) != 1 ||
		!too_many_shares(list, len))
		return SSL_CLIENT_HELLO_SUCCESS;
	tls_step_refuse(TLS_FAILURE_HELLO);
	*alert = SSL_AD_ILLEGAL_PARAMETER;
	return SSL_CLIENT_HELLO_ERROR;
}

/*
 * OpenSSL calls this for each message before it parses the message.  (It calls
 * the callback for certificates too late, when it has parsed the whole list.)
 * This callback cannot return an error.  To refuse a message it overwrites the
 * lengths in it, since OpenSSL refuses a message whose first length is wrong.
 */
static void look_at_message(int is_sent, int version, int type,
	const void *bytes, size_t len, SSL *ssl, void *arg)
{
	unsigned char *message = (unsigned char *)(uintptr_t)bytes;

	(void)version;
	(void)arg;
	if (is_sent || type != SSL3_RT_HANDSHAKE ||
		len < SSL3_HM_HEADER_LENGTH ||
		message[0] != SSL3_MT_CERTIFICATE)
		return;
	switch (tls_certificate_look(
		message, len, SSL_version(ssl) == TLS1_3_VERSION)) {
	case TLS_CERTIFICATE_GOOD:
		break;
	case TLS_CERTIFICATE_COSTLY:
		memset(message + SSL3_HM_HEADER_LENGTH, 0xff,
			len - SSL3_HM_HEADER_LENGTH);
		tls_step_refuse(TLS_FAILURE_CERTIFICATE);
		break;
	case TLS_CERTIFICATE_COSTLY_KEY:
		tls_step_refuse(TLS_FAILURE_CERTIFICATE);
		break;
	}
}

/* In TLS 1.2 one list has both the groups of the key exchange and the curves of
 * certificates' keys.  The key exchange is complete when OpenSSL calls this, so
 * the list can now be that of the curves: older devices have keys on P-384. */
static bool allow_curve(X509_STORE_CTX *store, const EVP_PKEY *key)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());

	return !EVP_PKEY_is_a(key, "EC") || !ssl ||
	       SSL_version(ssl) != TLS1_2_VERSION ||
	       SSL_set1_groups_list(ssl, CURVES) == 1;
}

/* Accepts any certificate: only the device ID counts, and the protocol checks
 * it. */
static int accept_any(X509_STORE_CTX *store, void *arg)
{
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;

	enum tls_failure why;

	(void)arg;
	if (key && !tls_step_refused(&why) && allow_curve(store, key))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

static int set_groups(SSL_CTX *ctx)
{
	if (SSL_CTX_set1_groups_list(ctx, HYBRID ":" GROUPS) == 1)
		return 0;
	ERR_clear_error();
	return SSL_CTX_set1_groups_list(ctx, GROUPS) == 1 ? 0 : -1;
}

int tls_limits_set(SSL_CTX *ctx)
{
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION
	SSL_CTX_set_options(ctx, SSL_OP_NO_RX_CERTIFICATE_COMPRESSION);
#endif
	SSL_CTX_set_max_cert_list(ctx, TLS_CERTIFICATE_LONGEST);
	SSL_CTX_set_client_hello_cb(ctx, look_at_hello, NULL);
	SSL_CTX_set_msg_callback(ctx, look_at_message);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
	return set_groups(ctx);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* The TLS of one connection: by OpenSSL, then detached from it. */

#include <errno.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <strelaysrv/device_id.h>

#include "base/instance.h"
#include "tls/tls_conn.h"
#include "tls/tls_detached.h"
#include "tls/tls_state.h"
#include "tls/tls_step.h"

struct tls_conn {
	SSL *ssl; /* owned; NULL: detached */
	struct tls_detached detached;
};

static const struct tls_contexts *self(void)
{
	return &instance->tls->contexts;
}

static const struct tls_record_algorithms *algorithms(void)
{
	return &self()->records;
}

BIO *tls_io_new(void)
{
	BIO *io = BIO_new(BIO_s_socket());

	if (io)
		tls_step_watch(io);
	return io;
}

/* OpenSSL's calls read from the socket that was set last. */
static SSL *at(const struct tls_conn *tls, int fd)
{
	BIO *io = SSL_get_rbio(tls->ssl);

	/* The flag may be set by another connection's end. */
	BIO_clear_flags(io, BIO_FLAGS_IN_EOF);
	BIO_set_fd(io, fd, BIO_NOCLOSE);
	ERR_clear_error();
	errno = 0;
	return tls->ssl;
}

/* OpenSSL wipes the line afterwards. */
static void note(const SSL *ssl, const char *line)
{
	struct tls_records *records = SSL_get_app_data(ssl);

	if (records)
		tls_records_note(records, line);
}

void tls_conn_prepare(SSL_CTX *ctx)
{
	SSL_CTX_set_keylog_callback(ctx, note);
}

static SSL *new_ssl(BIO *io, struct tls_records *records)
{
	SSL *ssl = SSL_new(self()->ctx);

	if (!ssl)
		return NULL;
	if ((algorithms()->kdf && SSL_set_app_data(ssl, records) != 1) ||
		BIO_up_ref(io) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_bio(ssl, io, io);
	SSL_set_accept_state(ssl);
	return ssl;
}

struct tls_conn *tls_conn_accept(BIO *io)
{
	struct tls_conn *tls = OPENSSL_zalloc(sizeof(*tls));

	if (!tls)
		return NULL;
	tls->ssl = new_ssl(io, &tls->detached.records);
	if (tls->ssl)
		return tls;
	OPENSSL_free(tls);
	return NULL;
}

void tls_conn_free(struct tls_conn *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	tls_detached_finish(&tls->detached);
	OPENSSL_free(tls);
}

enum tls_handshake tls_conn_handshake(struct tls_conn *tls, int fd, int *error)
{
	int done = SSL_do_handshake(at(tls, fd));

	if (done == 1)
		return TLS_HANDSHAKE_DONE;
	*error = SSL_get_error(tls->ssl, done);
	return *error == SSL_ERROR_WANT_READ || *error == SSL_ERROR_WANT_WRITE
		       ? TLS_HANDSHAKE_WAITS
		       : TLS_HANDSHAKE_FAILED;
}

bool tls_conn_awaits_hello(const struct tls_conn *tls)
{
	EVP_PKEY *share;

	/* In this state, OpenSSL also waits for the client's second flight, but
	 * then it has the client's key share already. */
	if (!tls->ssl || SSL_version(tls->ssl) != TLS1_3_VERSION ||
		SSL_get_state(tls->ssl) != TLS_ST_EARLY_DATA)
		return false;
	if (SSL_get_peer_tmp_key(tls->ssl, &share) != 1)
		return true;
	EVP_PKEY_free(share);
	return false;
}

/* Whether the client has asked for shorter records (RFC 6066, 4).  Hardly any
 * does. */
static bool bounds_records(const SSL *ssl)
{
	return SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl)) !=
	       TLSEXT_max_fragment_length_DISABLED;
}

/* Only if OpenSSL has read nothing that it has not handed out, and has sent
 * nothing after the handshake.  If this fails, OpenSSL goes on. */
static void detach(struct tls_conn *tls)
{
	struct tls_records *records = &tls->detached.records;

	if (SSL_version(tls->ssl) == TLS1_3_VERSION &&
		SSL_is_init_finished(tls->ssl) == 1 &&
		SSL_get_num_tickets(tls->ssl) == 0 &&
		SSL_has_pending(tls->ssl) == 0 && !bounds_records(tls->ssl) &&
		tls_records_begin(algorithms(), records,
			SSL_CIPHER_get_protocol_id(
				SSL_get_current_cipher(tls->ssl))) == 0) {
		SSL_free(tls->ssl);
		tls->ssl = NULL;
		return;
	}
	SSL_set_app_data(tls->ssl, NULL);
	OPENSSL_cleanse(records, sizeof(*records));
}

unsigned tls_conn_take_peer(
	struct tls_conn *tls, uint8_t id[RELAY_DEVICE_ID_LEN])
{
	/* On a server, this chain does not have the first certificate. */
	const STACK_OF(X509) *more = SSL_get_peer_cert_chain(tls->ssl);
	X509 *cert = SSL_get0_peer_certificate(tls->ssl);
	unsigned len = RELAY_DEVICE_ID_LEN;
	unsigned certs = 0;

	if (cert && more && sk_X509_num(more) > 0)
		certs = 2;
	else if (cert && X509_digest(cert, self()->sha256, id, &len) == 1)
		certs = 1;
	detach(tls);
	return certs;
}

bool tls_conn_is_detached(const struct tls_conn *tls)
{
	return !tls->ssl;
}

static enum tls_result read_failed(int error)
{
	switch (error) {
	case SSL_ERROR_WANT_READ:
		/* A record without data was read; the socket may have more. */
		return errno == EAGAIN ? TLS_AGAIN : TLS_DATALESS;
	case SSL_ERROR_WANT_WRITE:
		return TLS_NEEDS_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_NOTIFIED;
	case SSL_ERROR_SYSCALL:
		return errno == 0 ? TLS_EOF : TLS_RESET;
	default:
		/* OpenSSL 3 reports an end without close_notify as an error. */
		return ERR_GET_REASON(ERR_peek_error()) ==
				       SSL_R_UNEXPECTED_EOF_WHILE_READING
			       ? TLS_EOF
			       : TLS_BROKEN;
	}
}

enum tls_result tls_conn_read(
	struct tls_conn *tls, int fd, void *buf, size_t len, size_t *got)
{
	if (!tls->ssl)
		return tls_detached_read(
			algorithms(), &tls->detached, fd, buf, len, got);
	if (SSL_read_ex(at(tls, fd), buf, len, got) == 1)
		return TLS_DONE;
	return read_failed(SSL_get_error(tls->ssl, 0));
}

enum tls_result tls_conn_write(
	struct tls_conn *tls, int fd, const void *buf, size_t len, size_t *put)
{
	int error;

	if (!tls->ssl)
		return tls_detached_write(
			algorithms(), &tls->detached, fd, buf, len, put);
	if (SSL_write_ex(at(tls, fd), buf, len, put) == 1)
		return TLS_DONE;
	error = SSL_get_error(tls->ssl, 0);
	return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ
		       ? TLS_AGAIN
		       : TLS_BROKEN;
}

void tls_conn_close(struct tls_conn *tls, int fd)
{
	if (tls->ssl)
		(void)SSL_shutdown(at(tls, fd));
	else
		tls_detached_close(algorithms(), &tls->detached, fd);
}

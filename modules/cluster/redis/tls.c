/* SPDX-License-Identifier: MPL-2.0 */

/* TLS between two queues of bytes. */

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "cluster/redis/tls.h"

#define CHUNK 16384

static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text ? text : "out of memory";
}

struct ssl_ctx_st *tls_context(const char *ca_file, struct relay_err *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int good;

	ERR_clear_error();
	if (!context) {
		relay_fail(err, "TLS: %s", reason());
		return NULL;
	}
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	good = ca_file ? SSL_CTX_load_verify_locations(context, ca_file, NULL)
		       : SSL_CTX_set_default_verify_paths(context);
	if (good == 1 && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION))
		return context;
	relay_fail(err, "cannot read certificates from %.100s: %s",
		ca_file ? ca_file : "the system", reason());
	ERR_clear_error();
	SSL_CTX_free(context);
	return NULL;
}

void tls_context_free(struct ssl_ctx_st *context)
{
	SSL_CTX_free(context);
}

static int expect_host(SSL *ssl, const char *host)
{
	struct in6_addr address;
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char name[256]; /* OpenSSL's macro takes no constant */
	int len = snprintf(name, sizeof(name), "%s", host);

	if (inet_pton(AF_INET, host, &address) == 1 ||
		inet_pton(AF_INET6, host, &address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host);
	X509_VERIFY_PARAM_set_hostflags(
		param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return (size_t)len < sizeof(name) && SSL_set1_host(ssl, host) == 1 &&
	       SSL_set_tlsext_host_name(ssl, name) == 1;
}

int tls_begin(struct tls *tls, struct ssl_ctx_st *context, const char *host)
{
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

	*tls = (struct tls){.ssl = SSL_new(context)};
	if (!in || !out || !tls->ssl ||
		(host && !expect_host(tls->ssl, host))) {
		BIO_free(in);
		BIO_free(out);
		tls_end(tls);
		ERR_clear_error();
		return -1;
	}
	/* Empty means: not yet. */
	BIO_set_mem_eof_return(in, -1);
	SSL_set_bio(tls->ssl, in, out);
	SSL_set_connect_state(tls->ssl);
	return 0;
}

int tls_received(struct tls *tls, const uint8_t *bytes, size_t len)
{
	if (len > INT_MAX ||
		BIO_write(SSL_get_rbio(tls->ssl), bytes, (int)len) != (int)len)
		return -1;
	return 0;
}

/* What a call of OpenSSL that has failed means.  0: more bytes are needed. */
static int judge(struct tls *tls, int result, struct relay_err *err)
{
	long verified;

	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		return relay_fail(err, "it closed the connection");
	default:
		verified = SSL_get_verify_result(tls->ssl);
		relay_fail(err, "TLS: %s",
			verified != X509_V_OK
				? X509_verify_cert_error_string(verified)
				: reason());
		ERR_clear_error();
		return -1;
	}
}

static int shake(struct tls *tls, struct relay_err *err)
{
	int result = SSL_do_handshake(tls->ssl);

	if (result != 1)
		return judge(tls, result, err);
	tls->open = true;
	return 0;
}

static int unseal(
	struct tls *tls, struct bytes *in, size_t most, struct relay_err *err)
{
	for (;;) {
		uint8_t *room = bytes_room(in, CHUNK, most);
		int len;

		if (!room)
			return relay_fail(err, "too much has come at once");
		len = SSL_read(tls->ssl, room, CHUNK);
		if (len <= 0)
			return judge(tls, len, err);
		bytes_added(in, (size_t)len);
	}
}

static int seal(struct tls *tls, struct bytes *out, struct relay_err *err)
{
	while (bytes_len(out)) {
		size_t len = bytes_len(out);
		int done = SSL_write(tls->ssl, bytes_at(out),
			len > CHUNK ? CHUNK : (int)len);

		/* What it writes to takes everything. */
		if (done <= 0)
			return judge(tls, done, err) != 0
				       ? -1
				       : relay_fail(err, "TLS: out of memory");
		bytes_take(out, (size_t)done);
	}
	return 0;
}

static int move(struct tls *tls, struct bytes *sealed, size_t most,
	struct relay_err *err)
{
	BIO *bio = SSL_get_wbio(tls->ssl);

	while (BIO_pending(bio) > 0) {
		uint8_t *room = bytes_room(sealed, CHUNK, most);
		int len = room ? BIO_read(bio, room, CHUNK) : -1;

		if (len <= 0)
			return relay_fail(err, "TLS: out of memory");
		bytes_added(sealed, (size_t)len);
	}
	return 0;
}

int tls_step(struct tls *tls, struct bytes *in, struct bytes *out,
	struct bytes *sealed, size_t most, struct relay_err *err)
{
	int failed;

	ERR_clear_error();
	failed = tls->open ? 0 : shake(tls, err);
	if (!failed && tls->open)
		failed = seal(tls, out, err) || unseal(tls, in, most, err);
	/* An alert about what has failed is sent, too. */
	return move(tls, sealed, most, failed ? NULL : err) || failed ? -1 : 0;
}

void tls_end(struct tls *tls)
{
	SSL_free(tls->ssl);
	*tls = (struct tls){.ssl = NULL};
}

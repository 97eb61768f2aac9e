/* SPDX-License-Identifier: MPL-2.0 */

/* Checks another relay. */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <strelaysrv/device_id.h>

#include "endpoint/probe.h"
#include "shared/lookup.h"

#define ADDRESSES_MOST 4

#define ALPN "bep-relay"
/* What Go offers, too, so that a handshake costs the control thread little,
 * whatever the other side prefers. */
#define GROUPS "X25519:P-256"
#define SUITES "ECDHE+AESGCM:ECDHE+CHACHA20"
/* Bytes of certificates. */
#define CERTIFICATES_MOST 16384

SSL_CTX *probe_context(void)
{
	static const unsigned char alpn[] = "\x09" ALPN;
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	if (!tls)
		return NULL;
	if (SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set1_groups_list(tls, GROUPS) != 1 ||
		SSL_CTX_set_cipher_list(tls, SUITES) != 1 ||
		SSL_CTX_set_alpn_protos(tls, alpn, sizeof(alpn) - 1) != 0) {
		SSL_CTX_free(tls);
		return NULL;
	}
	/* Nobody signs a relay's certificate: its ID is what counts. */
	SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
	(void)SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION);
	(void)SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(tls, CERTIFICATES_MOST);
	/* As the server does, and Go. */
	SSL_CTX_set_security_level(tls, 1);
	return tls;
}

static void close_connection(struct probe *probe)
{
	SSL_free(probe->ssl);
	probe->ssl = NULL;
	if (probe->stage >= PROBE_CONNECTING)
		(void)close(probe->fd);
}

static void drop_lookup(struct probe *probe)
{
	lookup_end(probe->lookup);
	probe->lookup = NULL;
}

/* The check ends; the text of a failure has been written. */
static void end(struct probe *probe, enum probe_result result)
{
	close_connection(probe);
	if (probe->stage != PROBE_LOOKING)
		drop_lookup(probe);
	probe->stage = PROBE_IDLE;
	probe->result = result;
}

static void fail(struct probe *probe, enum probe_result result, const char *why)
{
	(void)relay_fail(&probe->why, "%s", why);
	end(probe, result);
}

/* Whether it is this machine that lacks something. */
static bool is_shortage(int error)
{
	return error == ENOMEM || error == ENOBUFS || error == EMFILE ||
	       error == ENFILE;
}

/* TLS. */

static bool is_the_right_one(struct probe *probe, const struct other_uri *uri)
{
	X509 *certificate = SSL_get0_peer_certificate(probe->ssl);
	const unsigned char *protocol;
	char text[RELAY_DEVICE_ID_TEXT];
	unsigned char id[32];
	unsigned len;

	SSL_get0_alpn_selected(probe->ssl, &protocol, &len);
	if (len != strlen(ALPN) || memcmp(protocol, ALPN, len) != 0) {
		fail(probe, PROBE_NO_RELAY, "it does not speak " ALPN);
		return false;
	}
	if (!certificate ||
		sk_X509_num(SSL_get_peer_cert_chain(probe->ssl)) != 1) {
		fail(probe, PROBE_OTHER_ID, "it has not one certificate");
		return false;
	}
	if (!uri->has_id)
		return true;
	if (X509_digest(certificate, EVP_sha256(), id, NULL) != 1) {
		fail(probe, PROBE_NOT_MADE, "no memory");
		return false;
	}
	if (memcmp(id, uri->id, sizeof(id)) == 0)
		return true;
	relay_device_id_format(id, text);
	(void)relay_fail(&probe->why, "its ID is %s", text);
	end(probe, PROBE_OTHER_ID);
	return false;
}

/* Takes the errors of the last call; returns the first one.  *here: it is this
 * machine that lacks memory.  Some parts of OpenSSL call that an internal
 * error, and a few do not tell it at all. */
static unsigned long take_errors(bool *here)
{
	unsigned long first = ERR_peek_error(), code;

	*here = false;
	while ((code = ERR_get_error()) != 0)
		*here |= ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE ||
			 ERR_GET_REASON(code) == ERR_R_INTERNAL_ERROR;
	return first;
}

static void handshake_failed(struct probe *probe, int kind, int error)
{
	bool here;
	const char *reason = ERR_reason_error_string(take_errors(&here));

	if (here)
		fail(probe, PROBE_NOT_MADE, "no memory");
	else if (kind == SSL_ERROR_SYSCALL && error)
		fail(probe, PROBE_NO_TLS, strerror(error));
	else
		fail(probe, PROBE_NO_TLS,
			reason ? reason : "it closes the connection");
}

static void shake_hands(struct probe *probe, const struct other_uri *uri)
{
	int done, kind;

	ERR_clear_error();
	errno = 0;
	done = SSL_do_handshake(probe->ssl);
	if (done == 1) {
		if (!is_the_right_one(probe, uri))
			return;
		/* So that the other one sees a client that leaves. */
		(void)SSL_shutdown(probe->ssl);
		ERR_clear_error();
		end(probe, PROBE_ANSWERS);
		return;
	}
	kind = SSL_get_error(probe->ssl, done);
	if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE)
		handshake_failed(probe, kind, errno);
}

static void begin_tls(struct probe *probe, SSL_CTX *tls)
{
	probe->stage = PROBE_SHAKING_HANDS;
	/* A client is told of the first address that takes the connection. */
	probe->address_end_ms = probe->end_ms;
	probe->ssl = SSL_new(tls);
	if (!probe->ssl || SSL_set_fd(probe->ssl, probe->fd) != 1) {
		ERR_clear_error();
		fail(probe, PROBE_NOT_MADE, "no memory");
		return;
	}
	SSL_set_connect_state(probe->ssl);
}

/* TCP. */

/* Connects to the address; a failure leaves its reason, and the stage
 * PROBE_LOOKING.  Whether there was a shortage. */
static bool try_address(struct probe *probe, int64_t now_ms)
{
	const struct addrinfo *to = probe->at;
	int error;

	probe->address_end_ms =
		now_ms + (probe->end_ms - now_ms) / (int64_t)probe->left;
	probe->fd = socket(
		to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe->fd < 0) {
		(void)relay_fail(&probe->why, "%s", strerror(errno));
		return is_shortage(errno);
	}
	if (connect(probe->fd, to->ai_addr, to->ai_addrlen) == 0 ||
		errno == EINPROGRESS) {
		probe->stage = PROBE_CONNECTING;
		return false;
	}
	error = errno;
	(void)close(probe->fd);
	(void)relay_fail(&probe->why, "%s", strerror(error));
	return is_shortage(error);
}

/* Begins with probe->at, or one that follows it. */
static void connect_on(struct probe *probe, int64_t now_ms)
{
	for (; probe->left; probe->left--, probe->at = probe->at->ai_next) {
		if (try_address(probe, now_ms)) {
			drop_lookup(probe);
			end(probe, PROBE_NOT_MADE);
			return;
		}
		if (probe->stage == PROBE_CONNECTING)
			return;
	}
	drop_lookup(probe);
	end(probe, PROBE_UNREACHED);
}

static void next_address(struct probe *probe, int64_t now_ms)
{
	close_connection(probe);
	probe->stage = PROBE_LOOKING;
	probe->left--;
	probe->at = probe->at->ai_next;
	connect_on(probe, now_ms);
}

static void see_connection(struct probe *probe, SSL_CTX *tls, int64_t now_ms)
{
	struct pollfd fd = {.fd = probe->fd, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof(error);

	if (poll(&fd, 1, 0) < 1)
		return;
	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (!error) {
		begin_tls(probe, tls);
		return;
	}
	(void)relay_fail(&probe->why, "%s", strerror(error));
	next_address(probe, now_ms);
}

/* Names. */

static void see_lookup(struct probe *probe, int64_t now_ms)
{
	const struct addrinfo *list;
	int error = lookup_result(probe->lookup, &list);

	if (error == EAI_INPROGRESS)
		return;
	if (error) {
		drop_lookup(probe);
		fail(probe,
			error == EAI_MEMORY || error == EAI_SYSTEM
				? PROBE_NOT_MADE
				: PROBE_UNRESOLVED,
			gai_strerror(error));
		return;
	}
	probe->at = list;
	for (probe->left = 0; list && probe->left < ADDRESSES_MOST;
		list = list->ai_next)
		probe->left++;
	connect_on(probe, now_ms);
}

/* The check. */

void probe_begin(
	struct probe *probe, const struct other_uri *uri, int64_t end_ms)
{
	probe->stage = PROBE_LOOKING;
	probe->end_ms = probe->address_end_ms = end_ms;
	if (!probe->lookup)
		probe->lookup = lookup_begin(uri->host, uri->port, SOCK_STREAM);
	if (!probe->lookup)
		fail(probe, PROBE_NOT_MADE, "no memory or thread");
}

static void too_late(struct probe *probe, int64_t now_ms)
{
	if (probe->stage == PROBE_LOOKING) {
		fail(probe, PROBE_UNRESOLVED, "no name server answers");
	} else if (probe->stage == PROBE_CONNECTING) {
		(void)relay_fail(&probe->why, "%s", strerror(ETIMEDOUT));
		next_address(probe, now_ms);
	} else {
		fail(probe, PROBE_SILENT, "it does not answer");
	}
}

bool probe_step(struct probe *probe, const struct other_uri *uri, SSL_CTX *tls,
	int64_t now_ms)
{
	if (probe->stage == PROBE_LOOKING)
		see_lookup(probe, now_ms);
	if (probe->stage == PROBE_CONNECTING)
		see_connection(probe, tls, now_ms);
	if (probe->stage == PROBE_SHAKING_HANDS)
		shake_hands(probe, uri);
	if (probe->stage != PROBE_IDLE && now_ms >= probe->address_end_ms)
		too_late(probe, now_ms);
	return probe->stage == PROBE_IDLE;
}

void probe_finish(struct probe *probe)
{
	close_connection(probe);
	drop_lookup(probe);
	probe->stage = PROBE_IDLE;
}

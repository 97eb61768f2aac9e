/* SPDX-License-Identifier: MPL-2.0 */

/*
 * strelaysrv/client.h - a client of Syncthing's relays, on your libevent loop.
 *
 * Link with librelayclient (pkg-config relayclient).  There are three
 * operations:
 *
 *   join     a device stays connected to a relay, and is told when others
 *            request it: relay_client_join();
 *   ask      a device requests a session with another device that has joined
 *            the relay: relay_client_ask();
 *   session  both sides connect to the address in their invitation; the caller
 *            then owns the socket: relay_client_session().
 *
 * THE PROTOCOL.  Relay Protocol v1, syncthing-relay(7).  Joining and asking use
 * TLS 1.2 or newer with ALPN bep-relay; the client's certificate determines its
 * device ID, and the relay's ID is compared with ?id= of its URI; certificate
 * authorities are not used.  An invitation contains an address and a one-time
 * key.  A session is plain TCP that begins with the key.  Encrypt what you
 * send: the relay can read it, and anybody with the key can be the other end.
 * Syncthing runs TLS in the session, as server if server_socket is true.
 *
 * URIs.  Parameters other than those below are ignored.
 *   relay://HOST:PORT/?id=DEVICE-ID&token=TOKEN
 *     HOST is a name, an IPv4 address, an IPv6 address in brackets, or empty
 *     for this machine; the default PORT is 22067; id and token are optional,
 *     and without id any relay is accepted.
 *   dynamic+http://HOST[:PORT]/PATH, dynamic+https://HOST[:PORT]/PATH
 *     A pool: GET answers {"relays":[{"url":"relay://..."}, ...]}.  An https
 *     server needs a certificate that the system's authorities signed
 *     (SSL_CERT_FILE and SSL_CERT_DIR select others).  At most 8 MiB, 2,000
 *     relays and 5 redirections are accepted.  The relays are sorted by the
 *     time of a TCP connect, in steps of 50 ms, shuffled within a step, and
 *     tried in this order until one succeeds.  At most 32 are measured at once,
 *     for at most 10 s; relays that have not answered by then come last.
 *
 * THREADS.  A client and its objects belong to the thread that runs its event
 * base.  No call waits for the network.  Calls that access files:
 * relay_client_create() reads two small ones, relay_client_make_keys() writes
 * them, and the first https pool reads the system's authorities.  Host names
 * are resolved in a short-lived thread of the library, because only the
 * system's resolver finds the same names as other programs.  The program must
 * ignore SIGPIPE, because OpenSSL writes to closed sockets.
 *
 * CALLBACKS come from the event loop, never from within a call into the
 * library.  They may call any function, and may free their own object.
 * Callbacks that may be NULL say so.  Text and structs passed to a callback are
 * valid until it returns.
 *
 * OWNERSHIP.  The comment of every function that returns an object names the
 * function that frees it; that accepts NULL, and no callback comes after it.
 * Free all objects of a client before the client.  Strings and handlers are
 * copied, unless the comment says borrowed.
 *
 * ERRORS.  Functions that can fail return NULL or -1 with a text in err, which
 * may be NULL.  Later failures are reported as struct relay_client_error.  A
 * hostile relay or pool can only make a client fail; in its texts everything
 * but printable ASCII is replaced.  It can make a client connect to any
 * address, also one that only the client can reach, but the client writes only
 * the session's key there.
 */
#ifndef RELAY_CLIENT_H
#define RELAY_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;
struct x509_st;
struct evp_pkey_st;

/* Why an operation failed; the text has details. */
enum relay_client_failure {
	RELAY_CLIENT_LOCAL,       /* this machine: memory, descriptors */
	RELAY_CLIENT_NO_ADDRESS,  /* the host name was not found */
	RELAY_CLIENT_UNREACHABLE, /* no TCP connection: refused, no route */
	RELAY_CLIENT_TIMEOUT,     /* no answer in time */
	RELAY_CLIENT_TLS,         /* TLS failed, or is not that of a relay */
	RELAY_CLIENT_WRONG_ID,    /* the relay's ID differs from the URI's id */
	RELAY_CLIENT_POOL,        /* the pool gave no list, or an empty one */
	RELAY_CLIENT_BAD_MESSAGE, /* an invalid or unexpected message */
	RELAY_CLIENT_FULL,        /* the relay is full */
	RELAY_CLIENT_NOT_FOUND,   /* device not joined; key unknown or used */
	RELAY_CLIENT_ALREADY_CONNECTED, /* this device has joined already, or
					   both ends of the session are in use
					 */
	RELAY_CLIENT_WRONG_TOKEN,
	RELAY_CLIENT_REFUSED, /* refused with another code */
	RELAY_CLIENT_SILENT,  /* the relay was silent for too long */
	RELAY_CLIENT_CLOSED,  /* the relay ended the connection */
	RELAY_CLIENT_FAILURES
};

struct relay_client_error {
	enum relay_client_failure failure;
	char text[256]; /* like "10.0.0.1:22067: refused" */
};

/*
 * A word for scripts and logs, like "wrong_id"; "unknown" if out of range.
 * Pure.
 */
const char *relay_client_failure_word(int failure);

/* Completed steps, in this order; the first ones only with a pool. */
enum relay_client_step {
	RELAY_CLIENT_STEP_POOL,      /* the pool's list is there */
	RELAY_CLIENT_STEP_LATENCY,   /* its relays are ordered */
	RELAY_CLIENT_STEP_LOOKUP,    /* the name has addresses */
	RELAY_CLIENT_STEP_CONNECTED, /* TCP */
	RELAY_CLIENT_STEP_TLS,       /* TLS, ALPN and the relay's ID */
	RELAY_CLIENT_STEPS
};

/* ----------------------------------------------------------------- client */

/* An identity, an event base, and settings. */
struct relay_client;

/*
 * A client with the identity of cert.pem and key.pem in the directory keys
 * (ECDSA, RSA, Ed25519; PKCS#8, PKCS#1, SEC1).  base is borrowed.  Blocks for
 * two small files.  relay_client_destroy() frees it; NULL with err.
 */
struct relay_client *relay_client_create(
	struct event_base *base, const char *keys, struct relay_err *err);

/* The same with an OpenSSL X509 and its EVP_PKEY; takes references of its own,
 * the caller keeps its. */
struct relay_client *relay_client_create_with(struct event_base *base,
	struct x509_st *certificate, struct evp_pkey_st *key,
	struct relay_err *err);

void relay_client_destroy(struct relay_client *client);

/* The device ID, 32 bytes, borrowed from the client; relay_device_id_format()
 * makes it text. */
const uint8_t *relay_client_id(const struct relay_client *client);

/* Timeouts in milliseconds; all above 0. */
struct relay_client_patience {
	int64_t dial_ms;    /* 10,000: TCP connection, with name resolution */
	int64_t answer_ms;  /* 10,000: from then to the answer; also the session
			     * join's; a pool gets three times as long */
	int64_t silence_ms; /* 120,000: without a word from a joined relay, or
			     * of a session's from its kernel */
};

/* Applies to operations started later.  0, or -1 with err. */
int relay_client_set_patience(struct relay_client *client,
	const struct relay_client_patience *patience, struct relay_err *err);

/*
 * Sets the token for relay:// URIs without one; "": none.  It is not sent to
 * relays of a pool.  At most 1,020 bytes.  0, or -1 with err.
 */
int relay_client_set_token(
	struct relay_client *client, const char *token, struct relay_err *err);

/*
 * Creates cert.pem and key.pem in a directory that has neither: ECDSA P-256,
 * self-signed, 20 years, key mode 0600.  Blocks.  Overwrites nothing.  Any
 * thread.  0, or -1 with err and no files created.
 */
int relay_client_make_keys(const char *dir, struct relay_err *err);

/* ------------------------------------------------------------- invitation */

/*
 * An invitation to a session; plain data that can be copied.  The other side
 * gets one, too.  Valid for one relay_client_session(), within about a minute.
 */
struct relay_client_invitation {
	uint8_t from[RELAY_DEVICE_ID_LEN]; /* the other device */
	uint8_t key[32];
	size_t key_len;
	struct sockaddr_storage
		address; /* the relay's own address if the relay sent none */
	socklen_t address_len;
	bool server_socket; /* true for the requested device, which is the TLS
			       server if TLS is used */
};

/* ------------------------------------------------------------------- join */

struct relay_client_join;

struct relay_client_join_handlers {
	/*
	 * May be NULL.  With a pool, steps repeat for each relay tried; relay
	 * is its host and port, "" before the first.
	 */
	void (*step)(enum relay_client_step step, const char *relay, void *arg);

	/*
	 * The device has joined. uri is the URI of the relay, with its token,
	 * if any.
	 */
	void (*joined)(const char *uri, void *arg);

	void (*invited)(
		const struct relay_client_invitation *invitation, void *arg);

	/*
	 * The last callback: joining failed, or the connection was lost.  The
	 * caller may retry, but not immediately.
	 */
	void (*ended)(const struct relay_client_error *why, void *arg);
};

/*
 * Joins a relay, or the first relay of a pool that accepts, and stays
 * connected, answering pings. relay_client_join_free() frees it and
 * disconnects.  NULL with err if the URI is invalid.
 */
struct relay_client_join *relay_client_join(struct relay_client *client,
	const char *uri, const struct relay_client_join_handlers *handlers,
	void *arg, struct relay_err *err);
void relay_client_join_free(struct relay_client_join *join);

/* -------------------------------------------------------------------- ask */

struct relay_client_ask;

struct relay_client_ask_handlers {
	/* As for a join; may be NULL. */
	void (*step)(enum relay_client_step step, const char *relay, void *arg);
	/* One of the two comes, and nothing after it. */
	void (*invited)(
		const struct relay_client_invitation *invitation, void *arg);
	void (*failed)(const struct relay_client_error *why, void *arg);
};

/*
 * Requests a session with a device that has joined the relay; with a pool,
 * tries its relays until one knows the device.  Needs no join and no token.
 * relay_client_ask_free() frees it.  NULL with err if the URI is invalid.
 */
struct relay_client_ask *relay_client_ask(struct relay_client *client,
	const char *uri, const uint8_t device[RELAY_DEVICE_ID_LEN],
	const struct relay_client_ask_handlers *handlers, void *arg,
	struct relay_err *err);
void relay_client_ask_free(struct relay_client_ask *ask);

/* ---------------------------------------------------------------- session */

struct relay_client_session;

struct relay_client_session_handlers {
	/*
	 * One of the two comes, and nothing after it.  fd is a connected,
	 * non-blocking, close-on-exec TCP socket with TCP_NODELAY; the callee
	 * must close it.  Nothing was read beyond the relay's answer.  The
	 * other side may not have connected yet; written data waits for it.
	 * Keep-alive is enabled, so that the socket fails after silence_ms if
	 * the relay is unreachable, also while both sides are idle.
	 * End-of-file only means that the other side sends no more.
	 */
	void (*connected)(int fd, void *arg);
	void (*failed)(const struct relay_client_error *why, void *arg);
};

/*
 * Joins the session. relay_client_session_free() frees it, but does not close
 * an fd that was passed to connected().  NULL with err if memory is short.
 */
struct relay_client_session *relay_client_session(struct relay_client *client,
	const struct relay_client_invitation *invitation,
	const struct relay_client_session_handlers *handlers, void *arg,
	struct relay_err *err);
void relay_client_session_free(struct relay_client_session *session);

#ifdef __cplusplus
}
#endif

#endif

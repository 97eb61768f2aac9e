/* SPDX-License-Identifier: MPL-2.0 */

/*
 * strelaysrv/client.h - a client of Syncthing's relays, on your libevent loop.
 *
 * Link with librelayclient (pkg-config relayclient).  Three things are done:
 *
 *   join     a device stays connected to a relay, and hears when others ask
 *            for it: relay_client_join();
 *   ask      a device asks the relay where another has joined for a session
 *            with it: relay_client_ask();
 *   session  both sides go where their invitation says; from then on the socket
 *            is theirs: relay_client_session().
 *
 * THE PROTOCOL.  Relay Protocol v1, syncthing-relay(7).  Joining and asking use
 * TLS 1.2 or newer with ALPN bep-relay; the client's certificate makes its
 * device ID, and the relay's is compared with ?id= of its URI; certificate
 * authorities play no part.  An invitation names an address and a one-time key.
 * Sessions are plain TCP that begins with the key: encrypt what you send, the
 * relay can read it, and whoever holds the key can be at its end.  Syncthing
 * runs TLS through it, as server where server_socket is true.
 *
 * URIs.  All others of a URI's parameters are ignored, as unknown ones are.
 *   relay://HOST:PORT/?id=DEVICE-ID&token=TOKEN
 *     HOST is a name, an IPv4 address, an IPv6 address in brackets, or empty
 *     for this machine; PORT is 22067 if left out; id and token may be left
 *     out, and without id any relay is believed.
 *   dynamic+http://HOST[:PORT]/PATH, dynamic+https://HOST[:PORT]/PATH
 *     A pool: GET answers {"relays":[{"url":"relay://..."}, ...]}.  Servers of
 *     https need a certificate that the system's authorities vouch for
 *     (SSL_CERT_FILE and SSL_CERT_DIR name others).  At most 8 MiB, 2,000
 *     relays and 5 redirections are accepted.  The relays are ordered by the
 *     time of a TCP connect, in steps of 50 ms, shuffled within a step, and
 *     tried until one does what is wanted.  At most 32 are measured at once,
 *     for at most 10 s; what has not answered by then comes last.
 *
 * THREADS.  A client and all that is made from it belong to the thread that
 * runs its event base.  Nothing waits for the network.  Files are read by
 * relay_client_create() (two small ones), written by relay_client_make_keys(),
 * and the system's authorities are read for the first https pool.  Host names
 * are looked up by a short-lived thread of the library, since only the system's
 * own resolver finds what other programs on the machine find.  SIGPIPE must be
 * ignored: OpenSSL writes to sockets without regard to it.
 *
 * CALLBACKS come from the event loop, never from within a call into the
 * library, and may call anything, also free the object they are about.  A
 * callback that may be NULL says so.  Text and structs passed to one are valid
 * until it returns.
 *
 * OWNERSHIP.  Every function that returns an object names the one that frees
 * it; those accept NULL, and no callback comes after them.  Free what was made
 * from a client before the client.  Strings and handlers are copied, unless it
 * says borrowed.
 *
 * ERRORS.  Functions that can fail return NULL or -1 with a text in err, which
 * may be NULL.  What fails later arrives as a struct relay_client_error.  A
 * hostile relay or pool can make a client fail, and no more; text of theirs is
 * shown with everything but printable ASCII replaced.  It may send a client to
 * connect to any address, also one that only the client can reach, but then
 * nothing but the session's key is written there.
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

/* Why something did not work; each has a text that says more. */
enum relay_client_failure {
	RELAY_CLIENT_LOCAL,       /* this machine: memory, descriptors */
	RELAY_CLIENT_NO_ADDRESS,  /* the host name was not found */
	RELAY_CLIENT_UNREACHABLE, /* no TCP connection: refused, no route */
	RELAY_CLIENT_TIMEOUT,     /* no answer in time */
	RELAY_CLIENT_TLS,         /* no TLS, or not that of a relay */
	RELAY_CLIENT_WRONG_ID,    /* another relay than the URI's id says */
	RELAY_CLIENT_POOL,        /* the pool gave no list, or an empty one */
	RELAY_CLIENT_BAD_MESSAGE, /* nothing that a relay says there */
	RELAY_CLIENT_FULL,        /* the relay takes nobody more */
	RELAY_CLIENT_NOT_FOUND,   /* device not joined; key unknown or used */
	RELAY_CLIENT_ALREADY_CONNECTED, /* this device has joined; both ends of
					 * the session are taken */
	RELAY_CLIENT_WRONG_TOKEN,
	RELAY_CLIENT_REFUSED, /* with another code */
	RELAY_CLIENT_SILENT,  /* nothing heard from the relay for too long */
	RELAY_CLIENT_CLOSED,  /* the relay ended the connection */
	RELAY_CLIENT_FAILURES
};

struct relay_client_error {
	enum relay_client_failure failure;
	char text[256]; /* a sentence's part, like "10.0.0.1:22067: refused" */
};

/* A word for scripts and logs, like "wrong_id"; "unknown" beyond.  Pure. */
const char *relay_client_failure_word(int failure);

/* What has been got through, in this order; the first only with a pool. */
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

/* How long to wait, in milliseconds; all above 0. */
struct relay_client_patience {
	int64_t dial_ms;   /* 10,000: a TCP connection, name look-up included */
	int64_t answer_ms; /* 10,000: from then to the answer; also the session
			    * join's; a pool gets three times as long */
	int64_t silence_ms; /* 120,000: without a word from a joined relay, or
			     * of a session's from its kernel */
};

/* Holds for what is started from now on.  0, or -1 with err. */
int relay_client_set_patience(struct relay_client *client,
	const struct relay_client_patience *patience, struct relay_err *err);

/* The token for relay:// URIs that bring none; "" for none.  Relays that a pool
 * names do not get it.  At most 1,020 bytes.  0, or -1 with err. */
int relay_client_set_token(
	struct relay_client *client, const char *token, struct relay_err *err);

/*
 * Makes cert.pem and key.pem in a directory that holds neither: ECDSA P-256,
 * self-signed, 20 years, key mode 0600.  Blocks.  Nothing is overwritten.  Any
 * thread.  0, or -1 with err and nothing left behind.
 */
int relay_client_make_keys(const char *dir, struct relay_err *err);

/* ------------------------------------------------------------- invitation */

/* A place in a session; plain data, copy it as you like.  The other side gets
 * one too.  Good for one relay_client_session(), within about a minute. */
struct relay_client_invitation {
	uint8_t from[RELAY_DEVICE_ID_LEN]; /* the other device */
	uint8_t key[32];
	size_t key_len;
	struct sockaddr_storage address; /* with the relay's own put in where
					  * the relay left it out */
	socklen_t address_len;
	bool server_socket; /* the asked side, and TLS server if they do TLS */
};

/* ------------------------------------------------------------------- join */

struct relay_client_join;

struct relay_client_join_handlers {
	/* May be NULL.  With a pool, steps come again for each relay tried;
	 * relay is its host and port, "" before there is one. */
	void (*step)(enum relay_client_step step, const char *relay, void *arg);

	/* The relay has taken us.  uri is its, of those of a pool the one that
	 * worked, with its token, if any. */
	void (*joined)(const char *uri, void *arg);

	void (*invited)(
		const struct relay_client_invitation *invitation, void *arg);

	/* The last callback: it never joined, or has lost the relay.  Trying
	 * again is up to the caller, and not at once, please. */
	void (*ended)(const struct relay_client_error *why, void *arg);
};

/*
 * Joins a relay and stays, answering its pings.  Of a pool, the first that
 * takes us.  relay_client_join_free() frees it, and leaves the relay.  NULL
 * with err if the URI is none.
 */
struct relay_client_join *relay_client_join(struct relay_client *client,
	const char *uri, const struct relay_client_join_handlers *handlers,
	void *arg, struct relay_err *err);
void relay_client_join_free(struct relay_client_join *join);

/* -------------------------------------------------------------------- ask */

struct relay_client_ask;

struct relay_client_ask_handlers {
	/* May be NULL; as above. */
	void (*step)(enum relay_client_step step, const char *relay, void *arg);
	/* One of the two comes, and nothing after it. */
	void (*invited)(
		const struct relay_client_invitation *invitation, void *arg);
	void (*failed)(const struct relay_client_error *why, void *arg);
};

/*
 * Asks a relay for a session with a device that has joined it; of a pool, one
 * relay after the other until one knows it.  Needs no join and no token.
 * relay_client_ask_free() frees it.  NULL with err if the URI is none.
 */
struct relay_client_ask *relay_client_ask(struct relay_client *client,
	const char *uri, const uint8_t device[RELAY_DEVICE_ID_LEN],
	const struct relay_client_ask_handlers *handlers, void *arg,
	struct relay_err *err);
void relay_client_ask_free(struct relay_client_ask *ask);

/* ---------------------------------------------------------------- session */

struct relay_client_session;

struct relay_client_session_handlers {
	/* One of the two comes, and nothing after it.  fd is a connected,
	 * non-blocking, close-on-exec TCP socket without Nagle's delay, and the
	 * callee's to close; nothing was read beyond the relay's answer.  The
	 * other side may not be there yet: what is written waits for it.
	 * Keep-alive is on, so that a relay that is gone makes the socket fail
	 * after silence_ms, also while both sides are quiet.  An end-of-file
	 * means only that the other side sends no more. */
	void (*connected)(int fd, void *arg);
	void (*failed)(const struct relay_client_error *why, void *arg);
};

/* Joins the session; relay_client_session_free() frees it, which does not touch
 * an fd that was handed over.  NULL with err if there is no memory. */
struct relay_client_session *relay_client_session(struct relay_client *client,
	const struct relay_client_invitation *invitation,
	const struct relay_client_session_handlers *handlers, void *arg,
	struct relay_err *err);
void relay_client_session_free(struct relay_client_session *session);

#ifdef __cplusplus
}
#endif

#endif

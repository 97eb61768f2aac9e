/* SPDX-License-Identifier: MPL-2.0 */

/* The server itself: its version, start time, addresses and state. */
#ifndef RELAY_SERVER_H
#define RELAY_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

struct relay_ctx;
struct relay_err;

/* Constant while the process runs.  [*] */
struct relay_build {
	const char *version; /* "v0.1.0" */
	const char *date;    /* RFC 3339 */
	const char *host;
	const char *user;
	const char *compiler; /* "gcc 12.2.0" */
	const char *os;       /* "linux" */
	const char *arch;     /* as Go names it: "amd64" */
};
const struct relay_build *relay_build(void);

/* When the process started: wall clock, microseconds since 1970.  [*] */
int64_t relay_start_us(void);
/* Milliseconds since the start, by the monotonic clock.  [*] */
int64_t relay_uptime_ms(void);

/* The server's own device ID, 32 bytes; in `advise`, zeroes if there are no
 * keys yet.  [*] from init on. */
const uint8_t *relay_server_id(void);

/*
 * Derives a secret of `len` bytes from the server's private key: HKDF-SHA256
 * (RFC 5869) with the module's name and `label`, a constant, as its purpose.
 * Servers with the same key.pem get the same secret, on every machine and with
 * every version of OpenSSL; other modules, labels and keys give others, and
 * nobody learns the private key from one.  It stays the same while the process
 * runs.  `len` is 1 .. 8160.  Wipe the secret with OPENSSL_cleanse() when it is
 * used up.  [C] from init on.  0, or -1: no memory, or a wrong length.  Since
 * API 1.8.
 */
int relay_derive_key(
	struct relay_ctx *cx, const char *label, uint8_t *out, size_t len);

/*
 * The i-th listen address as bound, in the order of `listen`: first those
 * that are neither private nor for proxies, then the private ones; those for
 * proxies only if there are no others, and those with a protocol only if there
 * are not even these; a port of 0 is replaced by the real one, and
 * [::ffff:192.0.2.1] is IPv4.  [C] from init on.  A reload changes them before
 * it calls `reload`.  Returns 0, or -1 if i is past the end.
 */
int relay_listen_address(unsigned i, struct sockaddr_storage *out);
/*
 * The first listen address, and the status address, as text "HOST:PORT": HOST
 * as configured, with the real port.  "" if there is no status address.  [C]
 */
const char *relay_listen_text(void);
const char *relay_status_text(void);

/*
 * Whether more connections are settled (see relay_conn_settled()) than
 * max-connections allows: then the protocol may disconnect idle peers.  [*]
 */
bool relay_over_limit(void);
/* Whether max-connections is reached: then it should refuse new peers.  [*] */
bool relay_at_limit(void);

/*
 * Closes the server to new peers.  The protocol module then refuses new peers,
 * disconnects idle ones and lets sessions finish; the relay leaves its pools,
 * and /healthz answers 503 with `word`, the reason ("quota"), which must stay
 * valid as long as the module.  [C] start or later.  NULL, or the end of the
 * module, removes this module's reason; the server opens when no module has
 * one.
 */
void relay_set_closed(struct relay_ctx *cx, const char *word);
/* The word of the module that closed it first; NULL: it is open.  [*] */
const char *relay_closed(void);

/*
 * Whether the server accepts new peers.  Modules that act on their own are
 * called through the hook `drain`; others can ask here.  [*]
 */
enum relay_drain {
	RELAY_DRAIN_NONE,  /* not draining */
	RELAY_DRAIN_LEAVE, /* it exits after its last session; relay_closed()
			    * returns "draining" */
	RELAY_DRAIN_MOVE,  /* another process has the addresses now: peers that
			    * reconnect reach it.  It owns what both would use:
			    * files, a mapped port, an entry in a pool */
};
enum relay_drain relay_draining(void);

/*
 * Describes the threads that hang, as "worker 1 has been in module NAME for 7
 * s"; "" if there is none.  Returns how many there are.  [*]  Since API 1.3.
 */
unsigned relay_hanging(char *out, size_t cap);

/* What an operator may have the server do.  [*]  Since API 1.5. */
enum relay_act {
	RELAY_ACT_RELOAD,  /* as SIGHUP */
	RELAY_ACT_DRAIN,   /* as SIGUSR1 */
	RELAY_ACT_UNDRAIN, /* cancels a drain that SIGUSR1 began */
	RELAY_ACT_UPGRADE, /* as SIGUSR2 */
};
/*
 * Begins it, after the callback has returned.  0, or -1 with err, which says
 * why that cannot be done now.  [C]
 */
int relay_server_act(enum relay_act act, struct relay_err *err);
/*
 * How the last one of that kind has gone.  An upgrade is done when the new
 * process serves; a drain, when it has begun.  [C]
 */
enum relay_acted {
	RELAY_ACTED_NEVER,
	RELAY_ACTED_NOT_YET, /* under way */
	RELAY_ACTED_DONE,
	RELAY_ACTED_FAILED, /* the log says why */
};
enum relay_acted relay_server_acted(enum relay_act act);

/* A running module.  [C]  Since API 1.5. */
struct relay_module_info {
	const char *name;
	const char *version;
	const char *summary;
	const char *path; /* of its file; "" if it is a part of the server */
	unsigned abi_minor;
	bool guard;         /* it restricts access, see RELAY_GUARD */
	int64_t failures;   /* of its timers and HTTP routes */
	int64_t slow_calls; /* that took the control thread over 100 ms */
	int64_t hangs;      /* calls that took over 5 s, on any thread */
};
typedef void relay_modules_visit_fn(
	const struct relay_module_info *info, void *arg);
/* Calls `visit` for each running module, in the order of `modules`. */
void relay_modules_visit(
	struct relay_ctx *cx, relay_modules_visit_fn *visit, void *arg);

/* Stops the server as SIGTERM does, for a module that cannot continue.  [*] */
void relay_server_stop(void);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The server itself: what it is, since when it runs, and where it listens.
 */
#ifndef RELAY_SERVER_H
#define RELAY_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct relay_ctx;

/* Constant for the life of the process.  [*] */
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
/* How many milliseconds ago that was, by the monotonic clock.  [*] */
int64_t relay_uptime_ms(void);

/* The server's own device ID, 32 bytes.  [*] from init on. */
const uint8_t *relay_server_id(void);

/*
 * The i-th address that it listens on, as bound (a port of 0 is replaced by the
 * real one), in the order of `listen`.  [C] from init on; a reload may change
 * them, before it calls `reload`.  0, or -1 past the end.
 */
int relay_listen_address(unsigned i, struct sockaddr_storage *out);
/*
 * The first listen address as text "HOST:PORT" the way it was written, with the
 * real port; and the same of the status address, "" when there is none.  [C]
 */
const char *relay_listen_text(void);
const char *relay_status_text(void);

/*
 * Whether the connections that have settled, see relay_conn_settled(), are more
 * than max-connections: then the protocol may send idle peers away.  [*]
 */
bool relay_over_limit(void);
/* Whether they are as many: then it should refuse newcomers.  [*] */
bool relay_at_limit(void);

/*
 * Closes the server to newcomers, for a reason that a module knows: the
 * protocol refuses them, lets those who are busy finish and sends the idle
 * away, pools are left, and /healthz answers 503 with `word`, which must live
 * as long as the module ("quota").  [C] start or later.  NULL opens it again,
 * as far as this module is concerned; so does the module's end.
 */
void relay_set_closed(struct relay_ctx *cx, const char *word);
/* The word of whoever closed it first; NULL: it is open.  [*] */
const char *relay_closed(void);

/*
 * Whether the server takes newcomers.  Modules that act on their own are told
 * by the hook `drain`; those that are asked can look here.  [*]
 */
enum relay_drain {
	RELAY_DRAIN_NONE,  /* everybody is welcome */
	RELAY_DRAIN_LEAVE, /* it ends with its last session; relay_closed() says
			    * "draining" */
	RELAY_DRAIN_MOVE,  /* another process has its addresses now: peers
			    * should come again and will find that one; what
			    * the two share (files, a mapped port, an entry in
			    * a pool) is that one's to keep */
};
enum relay_drain relay_draining(void);

/* Ends the server as SIGTERM would.  [*]  For modules that cannot go on. */
void relay_server_stop(void);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * probe.h - one check of another relay: what a Syncthing client does before it
 * joins.
 *
 * Name, TCP, TLS with the protocol bep-relay, and one certificate, whose ID is
 * that of the URI.  It joins nothing, so it takes no place there, and sends no
 * certificate.  Nothing here waits.
 */
#ifndef PROBE_H
#define PROBE_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include <openssl/types.h>
#include <strelaysrv/err.h>

#include "endpoint/other_uri.h"

struct lookup;

enum probe_result {
	PROBE_ANSWERS,
	PROBE_UNRESOLVED, /* the name has no address */
	PROBE_UNREACHED,  /* no TCP connection */
	PROBE_SILENT,     /* a connection, but no answer in time */
	PROBE_NO_TLS,     /* the handshake fails */
	PROBE_NO_RELAY,   /* it speaks another protocol than bep-relay */
	PROBE_OTHER_ID,   /* its certificate is another one's */
	PROBE_NOT_MADE,   /* for lack of memory or descriptors here: it says
			   * nothing   about the other relay */
	PROBE_RESULTS
};

enum probe_stage {
	PROBE_IDLE,
	PROBE_LOOKING, /* for addresses */
	PROBE_CONNECTING,
	PROBE_SHAKING_HANDS,
};

struct probe {
	enum probe_stage stage;
	/* Owned.  It stays after a check that took too long, and the next one
	 * waits for the same: so a silent name server holds one thread. */
	struct lookup *lookup;
	const struct addrinfo *at; /* borrowed from lookup */
	unsigned left;             /* addresses to try, this one included */
	int fd;                    /* owned; only when connecting or later */
	SSL *ssl;                  /* owned */
	int64_t end_ms;            /* of the check */
	int64_t address_end_ms;    /* of this address */
	enum probe_result result;  /* when it is idle again */
	struct relay_err why;      /* unless it answers */
};

/* The TLS context of all checks; NULL without memory. */
SSL_CTX *probe_context(void);
/* Begins a check, which ends at end_ms at the latest.  `probe` is idle. */
void probe_begin(
	struct probe *probe, const struct other_uri *uri, int64_t end_ms);
/* Goes on as far as it can now.  Whether it has ended. */
bool probe_step(struct probe *probe, const struct other_uri *uri, SSL_CTX *tls,
	int64_t now_ms);
/* Ends it, without a result.  It may be all zero. */
void probe_finish(struct probe *probe);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * fetch.h - one HTTP request to a host of the local network (RFC 9112).
 *
 * The UPnP library reads answers of any length for any time.  Here the size of
 * an answer is limited, and so is the whole time from the connection to its
 * last byte.
 */
#ifndef FETCH_H
#define FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "host.h"
#include "refusal.h"

/*
 * Most bytes of an answer with its head: several times the size that known
 * gateways send.
 */
#define FETCH_MAX 131072

struct url {
	struct host host;
	uint16_t port;
	char path[256]; /* including the query */
};

/*
 * Parses http://ADDRESS[:PORT][/PATH]; names are not resolved.  `scope`: the
 * interface of a link-local address.  0 or -1.
 */
int url_read(const char *text, uint32_t scope, struct url *out);

struct question {
	const struct url *url;
	const char *source;  /* our IPv4 address; NULL or "": any */
	const char *headers; /* more header lines, each with CR LF; "": none */
	const char *body;    /* NULL: GET, else POST */
	int64_t end_ms;      /* of the monotonic clock */
};

struct answer {
	int status;
	char *body; /* owned, NUL-terminated */
	size_t size;
	struct host self; /* our address on that connection */
};

/* 0, or -1 with err; free *out in both cases.  Blocks. */
int fetch(const struct question *question, struct answer *out,
	struct refusals *refusals, struct relay_err *err);
void answer_free(struct answer *answer);

#endif

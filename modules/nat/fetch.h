/* SPDX-License-Identifier: MPL-2.0 */

/*
 * fetch.h - one question by HTTP to a host of the local network (RFC 9112).
 *
 * The library for UPnP reads whatever it is sent, for as long as it is sent.
 * Here an answer has a bound in bytes, and all of it, from the connection to
 * its last byte, one in time.
 */
#ifndef FETCH_H
#define FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "host.h"
#include "refusal.h"

/* Of an answer with its head: several times what gateways are known to say. */
#define FETCH_MAX 131072

struct url {
	struct host host;
	uint16_t port;
	char path[256]; /* with its query */
};

/*
 * Reads http://ADDRESS[:PORT][/PATH]; names are not looked up.  `scope`: the
 * interface on which a link-local address was heard of.  0 or -1.
 */
int url_read(const char *text, uint32_t scope, struct url *out);

struct question {
	const struct url *url;
	const char *headers; /* further lines, each with its CR LF; "": none */
	const char *body;    /* NULL: it is a GET, else a POST */
	int64_t end_ms;      /* of the monotonic clock */
};

struct answer {
	int status;
	char *body; /* owned, with a 0 behind it */
	size_t size;
	struct host self; /* our address on the way there */
};

/* 0, or -1 with err; *out is to be freed either way.  Blocks. */
int fetch(const struct question *question, struct answer *out,
	struct refusals *refusals, struct relay_err *err);
void answer_free(struct answer *answer);

#endif

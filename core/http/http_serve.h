/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Serves one HTTP connection: reads a head, has it answered, sends the answer,
 * and only then reads on.  So it holds one request and one answer at most.
 *
 * Why this is no library.  libevent's evhttp accepts by itself, without a bound
 * and with no public way to hand it a connection; tells nobody when a
 * connection ends or a head is complete; gives HEAD and GET no body; and reads
 * an endless chunk line again from its start for each packet.  libmicrohttpd
 * (0.9.75) has the bounds, but brings GnuTLS and six more libraries into the
 * process that holds the relay's key (3.7 million instructions and 0.4 MiB at
 * each start), takes two Content-Lengths and `Transfer-Encoding :` for good,
 * reads a folded line as a field of another name, and can neither say a last
 * word to a connection nor tell whether half a request is there, so that all of
 * this had to be done beside it.  GET and HEAD without a body need a parser of
 * 250 lines.
 *
 * [C]
 */
#ifndef HTTP_SERVE_H
#define HTTP_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "http/http_conn.h"

/* Owns fd from now on, also on failure.  NULL without memory. */
struct http_conn *http_serve_new(struct http_owner *owner, int fd,
	const struct http_origin *origin, int64_t now_ms);

/* Reads and answers what has arrived; may free the connection.  Not to be
 * called in the states HTTP_WAITING, HTTP_WRITING and HTTP_LINGERING. */
void http_serve_read(struct http_conn *conn);
/* Sends as much of the answer as the socket takes; may free the connection.
 * `unread`: the peer may send more, such as a request's body. */
void http_serve_flush(struct http_conn *conn, bool unread);

#endif

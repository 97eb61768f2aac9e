/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Serves one HTTP connection: reads a head, has it answered, sends the answer,
 * and only then reads on.  So it holds one request and one answer at most.
 *
 * Why no library is used.  libevent's evhttp accepts connections itself,
 * without a limit, and has no public function to pass it one; it does not
 * report the end of a connection or a complete head; and it parses an endless
 * chunk line again from its start for each packet.  libmicrohttpd
 * (0.9.75) has the bounds, but brings GnuTLS and six more libraries into the
 * process that holds the relay's key (3.7 million instructions and 0.4 MiB at
 * each start).  It accepts two Content-Lengths and `Transfer-Encoding :`, and
 * reads a folded line as a field of another name.  It can neither send an
 * answer before it closes a connection, nor tell whether a part of a request
 * has arrived.  The parser for GET and HEAD without a body has 250 lines.
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

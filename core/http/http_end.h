/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Ends HTTP connections: after the last answer, when the peer has closed, or
 * when a limit is reached.  A peer that reads gets its last answer.  If a peer
 * does not read, the kernel must not keep the answer for it, since no limit of
 * the server counts that memory.  [C]
 */
#ifndef HTTP_END_H
#define HTTP_END_H

#include <stdbool.h>

struct http_conn;

/* How long the kernel may try to deliver the last bytes of a closed connection.
 */
#define HTTP_OWED_MS 5000
/* How many connections of one address may be closed that way in that time. */
#define HTTP_OWED_MOST 128

/* Closes and frees it, with a reset if the peer's kernel does not have
 * everything.  The other functions here may do so, too. */
void http_end(struct http_conn *conn);
/*
 * Closes and frees it after a last answer, which the kernel delivers within
 * HTTP_OWED_MS or drops.  With a reset if the socket has not taken all of it,
 * or if HTTP_OWED_MOST others were closed that way.
 */
void http_end_owing(struct http_conn *conn);
/* The last answer is written.  `unread`: the peer may send more. */
void http_end_finish(struct http_conn *conn, bool unread);
/* The peer has shut down its sending side. */
void http_end_heard(struct http_conn *conn);
/* A lingering connection has input: it is discarded. */
void http_end_discard(struct http_conn *conn);

/* Whether nothing remains to be delivered: the peer's kernel has everything
 * that was written, or the peer has reset the connection. */
bool http_end_arrived(const struct http_conn *conn);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How HTTP connections end: after the last answer, so that it arrives; when the
 * peer has heard enough; when a bound is reached.  Nothing that nobody reads is
 * left to the kernel, which would offer it for minutes.  [C]
 */
#ifndef HTTP_END_H
#define HTTP_END_H

#include <stdbool.h>

struct http_conn;

/* Closes it now, and frees it.  So may all of these do. */
void http_end(struct http_conn *conn);
/* The same; what the peer has not read is thrown away. */
void http_end_reset(struct http_conn *conn);
/* The last answer is written.  `unread`: the peer may send more. */
void http_end_finish(struct http_conn *conn, bool unread);
/* The peer sends no more. */
void http_end_heard(struct http_conn *conn);
/* It is lingering, and readable. */
void http_end_discard(struct http_conn *conn);

/* Whether the peer has all that was written. */
bool http_end_arrived(const struct http_conn *conn);

#endif

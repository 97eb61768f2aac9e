/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections that last too long, or whose place others need: they are ended,
 * and counted by reason.  [C]
 */
#ifndef HTTP_TIMEOUTS_H
#define HTTP_TIMEOUTS_H

#include <stdint.h>

#include "http/http_metrics.h"

struct http_conn;

/* How long a connection may be in each state, ms. */
#define HTTP_SILENT_MS    10000
#define HTTP_IDLE_MS      80000 /* must exceed HTTP_PROMISED_S (http_reply.h) */
#define HTTP_READING_MS   10000
#define HTTP_WAITING_MS   30000
#define HTTP_WRITING_MS   30000
#define HTTP_LINGERING_MS 5000

/* Ends the connection if its state has lasted too long.  Call it every second.
 */
void http_timeouts_check(struct http_conn *conn, int64_t now_ms);
/* Ends the connection in favour of another one.  A client that waits for an
 * answer gets 503. */
void http_conn_evict(struct http_conn *conn, enum http_end_reason why);

#endif

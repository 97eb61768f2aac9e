/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the HTTP addresses count, as metrics of the core.
 */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include <stdint.h>

enum http_metric {
	HTTP_CONNECTIONS, /* gauge, by enum http_place */
	HTTP_REQUESTS,    /* counter, by enum http_result */
	HTTP_ENDS,        /* counter, by enum http_end_reason */
	HTTP_CUT,         /* counter */
	HTTP_METRIC_COUNT
};

enum http_place { HTTP_AT_STATUS, HTTP_AT_PRIVATE };
enum http_result {
	HTTP_ANSWERED,
	HTTP_MALFORMED,    /* no HTTP/1.x, or proxies may read it differently */
	HTTP_TOO_LARGE,    /* the head, or the body that it announces */
	HTTP_FOREIGN_HOST, /* a private route, by a host name that is not
			      allowed */
	HTTP_DELAYED,      /* it had to wait: its source used too much time */
	HTTP_UNANSWERED,   /* no memory */
};
/* Why the server closed a connection before the client did. */
enum http_end_reason {
	HTTP_END_IDLE,       /* no further request */
	HTTP_END_REQUEST,    /* its request took too long, or never began */
	HTTP_END_ANSWER,     /* it did not read its answer in time */
	HTTP_END_DELAY,      /* its source used too much time, for too long */
	HTTP_END_SOURCE,     /* its source has too many */
	HTTP_END_ROOM,       /* it was evicted in favour of another one */
	HTTP_END_DESCRIPTOR, /* the process has no more descriptors */
	HTTP_END_UNREAD,     /* unread answers take too much memory */
	HTTP_END_MEMORY,     /* no memory for it */
};

/* [C] once.  0, or -1 logged. */
int http_metrics_init(void);
/* [C]  Does nothing before http_metrics_init(). */
void http_count(enum http_metric which, unsigned value, int64_t by);

#endif

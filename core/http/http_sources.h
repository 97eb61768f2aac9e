/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The sources of requests on one HTTP address: how many connections each has,
 * and how much of the control thread's time it may use.  A source is an IPv4
 * address, or an IPv6 prefix: each address counts for its /64, /56 and /48,
 * since one customer may have any of these.
 */
#ifndef HTTP_SOURCES_H
#define HTTP_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define HTTP_LEVELS       3
#define HTTP_SOURCES_MAX  2048 /* those without connections are forgotten */
#define HTTP_SOURCE_SLOTS 1024

/*
 * Shares of the control thread, in thousandths, for each source and for all.
 * Programs on the same machine may take more, a proxy among them.
 */
#define HTTP_SHARE_SOURCE 100
#define HTTP_SHARE_NEAR   500
#define HTTP_SHARE_ALL    500
#define HTTP_SHARE_KEPT   60   /* of all, for programs on the same machine */
#define HTTP_BURST_MS     1000 /* how much unused share is saved */
/* Sources that have asked in this period or the one before are counted.  A
 * request that waits asks again at least once a second. */
#define HTTP_PERIOD_MS 2000

/* Time that may be used; a negative value is a debt. */
struct http_budget {
	int64_t left_ns;
	int64_t at_ms; /* when left_ns was last updated */
};

struct http_source {
	struct http_source *next; /* in its slot */
	unsigned char prefix[16]; /* IPv4 as IPv6 maps it */
	uint8_t bits;
	bool near; /* on this machine */
	unsigned conns;
	int64_t period; /* the last in which it asked */
	struct http_budget budget;
	struct http_budget fair; /* its equal part of the common budget */
};

struct http_sources {
	struct http_source *slots[HTTP_SOURCE_SLOTS]; /* owned */
	size_t count;
	uint64_t seed;
	struct http_budget all;
	int64_t period;
	/* How many sources have sent requests in this period, and in the one
	 * before; only the widest source of each connection counts. */
	unsigned asking, before;
};

/* The sources of one connection, the widest first; owned by the table. */
struct http_origin {
	struct http_source *at[HTTP_LEVELS];
	unsigned count;
};

void http_sources_init(struct http_sources *sources, int64_t now_ms);
void http_sources_finish(struct http_sources *sources);

/* The time that accepting and ending one connection are counted as, in the
 * share of its source. */
#define HTTP_ACCEPT_US 10

/* Counts a new connection.  0, or -1 without memory. */
int http_sources_enter(struct http_sources *sources,
	const struct sockaddr_storage *from, int64_t now_ms,
	struct http_origin *out);
void http_sources_leave(const struct http_origin *origin);

/* How long a request has to wait, in ms; 0: it may be answered now. */
int64_t http_sources_wait(struct http_sources *sources,
	const struct http_origin *origin, int64_t now_ms);
void http_sources_spend(struct http_sources *sources,
	const struct http_origin *origin, int64_t us);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* bench.h - shared by all parts of a run. */
#ifndef BENCH_H
#define BENCH_H

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "settings.h"
#include "tally.h"

/* Consecutive loopback addresses, used in turn. */
struct sources {
	uint32_t first; /* in host order */
	unsigned count;
};

/* The two ends of a session. */
enum bench_side { BENCH_CLIENT, BENCH_SERVER, BENCH_SIDES };

/* Owned by one thread; other threads may only use tally. */
struct bench {
	const struct settings *settings; /* borrowed */
	struct event_base *base;
	struct event *limit;
	bool limit_passed;
	SSL_CTX *tls;
	int nets[BENCH_SIDES];  /* network namespaces; -1: this process's own */
	struct sockaddr_in own; /* listens there; without a port */
	struct sockaddr_in server; /* the relay, the proxy, or this process */
	struct sockaddr_in asked;  /* the relay for requests */
	const struct timeval *patience;
	struct sources sources; /* of connections to loopback */
	unsigned dialled;
	struct tally tally;
};

/*
 * Raises the descriptor limit, creates the loop, TLS and the time limit.
 * Returns 0, or -1 with the reason on stderr; call bench_finish() in both
 * cases.
 */
int bench_init(struct bench *bench, const struct settings *settings);

/*
 * Parses HOST:PORT; returns 0, or -1 with the reason on stderr. option is its
 * name in messages.
 */
int bench_read_address(
	struct sockaddr_in *out, const char *option, const char *text);
void bench_finish(struct bench *bench);

/* Sockets that this thread makes from now on are in the namespace of that side.
 * If that fails, it is counted as FAILURE_LOCAL. */
void bench_stand(struct bench *bench, enum bench_side side);

/*
 * Runs the loop until bench_stop() or the time limit, which counts as a
 * failure.
 */
void bench_run(struct bench *bench);
void bench_stop(struct bench *bench);

/* Runs the loop for this time, or until the time limit. */
void bench_run_for(struct bench *bench, int64_t ms);

#endif

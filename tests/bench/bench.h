/* SPDX-License-Identifier: MPL-2.0 */

/* bench.h - what all parts of one run share. */
#ifndef BENCH_H
#define BENCH_H

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "settings.h"
#include "tally.h"

/* Loopback addresses in a row, taken in turns. */
struct sources {
	uint32_t first; /* in host order */
	unsigned count;
};

/* One thread owns it; only tally may be used by others. */
struct bench {
	const struct settings *settings; /* borrowed */
	struct event_base *base;
	struct event *limit;
	bool limit_passed;
	SSL_CTX *tls;
	struct sockaddr_in server; /* the relay, the proxy, or ourselves */
	const struct timeval *patience;
	struct sources sources; /* of connections to loopback */
	unsigned dialled;
	struct tally tally;
};

/* Raises the descriptor limit, makes the loop, TLS and the time limit.
 * Returns 0, or -1 with the reason on stderr; finish in either case. */
int bench_init(struct bench *bench, const struct settings *settings);

/* Reads HOST:PORT; returns 0, or -1 with the reason on stderr.  option is what
 * the user calls it. */
int bench_read_address(
	struct sockaddr_in *out, const char *option, const char *text);
void bench_finish(struct bench *bench);

/* Runs the loop until bench_stop() or the time limit, which it counts. */
void bench_run(struct bench *bench);
void bench_stop(struct bench *bench);

/* Runs the loop for so long, or until the time limit. */
void bench_run_for(struct bench *bench, int64_t ms);

#endif

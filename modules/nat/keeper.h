/* SPDX-License-Identifier: MPL-2.0 */

/*
 * keeper.h - a thread that gets a port mapped and keeps it so.
 *
 * The libraries for gateways block; here they block nobody else.  What the
 * thread has to say waits until it is fetched.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/err.h>
#include <strelaysrv/log.h>

#include "mapping.h"
#include "schedule.h"

struct keeper;

struct keeper_conf {
	uint16_t port;  /* that we listen on */
	char local[64]; /* the local address; "": any */
	int64_t timeout_ms;
	struct schedule schedule;
};

enum keeper_what {
	KEEPER_MAPPED, /* a new mapping, or another address */
	KEEPER_LOST,   /* what was mapped is so no more */
	KEEPER_FAILED, /* an attempt; for the log only */
};

struct keeper_news {
	enum keeper_what what;
	struct mapping mapping; /* KEEPER_MAPPED */
	const char *protocol;   /* "UPnP", "NAT-PMP"; constant */
	struct relay_err why;   /* LOST and FAILED */
};

/* NULL with err filled. */
struct keeper *keeper_start(
	const struct keeper_conf *conf, struct relay_err *err);
/* Readable when there is news. */
int keeper_fd(const struct keeper *keeper);
/* The oldest news.  False: there is none. */
bool keeper_hear(struct keeper *keeper, struct keeper_news *out);
/* New times, and another port: the one mapped until then is taken back. */
void keeper_configure(struct keeper *keeper, const struct keeper_conf *conf);
/*
 * Takes the mapping back.  Waits for that at most `wait_ms`; what takes longer
 * goes on by itself.  Accepts NULL.
 */
void keeper_stop(struct keeper *keeper, int64_t wait_ms);
/* Ends without taking anything back: another process keeps it now. */
void keeper_leave(struct keeper *keeper);

#endif

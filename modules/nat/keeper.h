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
#include <time.h>

#include <strelaysrv/err.h>
#include <strelaysrv/log.h>

#include "gateway.h"
#include "outbox.h"
#include "schedule.h"

struct keeper;

struct keeper_conf {
	const struct gateway_ops *ops;
	uint16_t port;  /* that we listen on */
	char local[64]; /* the local address; "": any */
	int64_t timeout_ms;
	struct hosts
		gateways; /* that may be asked; none: the default routes' */
	struct schedule schedule;
};

/* A thread that does nothing yet.  NULL with err filled. */
struct keeper *keeper_make(
	const struct keeper_conf *conf, struct relay_err *err);
/* It begins to search.  Cannot fail. */
void keeper_begin(struct keeper *keeper);
/* Readable when there is news. */
int keeper_fd(const struct keeper *keeper);
/* The oldest news.  False: there is none. */
bool keeper_hear(struct keeper *keeper, struct keeper_news *out);
/* What was refused since the last call. */
void keeper_refusals(struct keeper *keeper, struct refusals *out);
/* New times, and another port: the one mapped until then is taken back. */
void keeper_configure(struct keeper *keeper, const struct keeper_conf *conf);
/* Has it begin to take the mapping back.  Accepts NULL. */
void keeper_stop(struct keeper *keeper);
/* The same, but nothing is taken back: another process keeps it now. */
void keeper_leave(struct keeper *keeper);
/*
 * After keeper_stop(): waits for that at most until a moment of the monotonic
 * clock (NULL: not at all); what takes longer goes on by itself.  Accepts NULL.
 */
void keeper_free(struct keeper *keeper, const struct timespec *until);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * events.h - tells those who follow what happens on the workers.
 *
 * While nobody follows, each event costs the read of one number.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "relay/data.h"

/* Travels in a message, so it has no pointers. */
struct event {
	int64_t wall_us;
	char what[80];
	char detail[32]; /* "": none */
	bool has_id[2];
	uint8_t id[2][ID_LEN]; /* whose event; and the other device */
	char address[2][RELAY_ADDR_TEXT];
	bool is_session; /* the next three are set */
	int worker;      /* where it has begun */
	uint64_t session;
	int64_t bytes[2]; /* sent by each side */
	uint32_t lost;    /* events of this worker just before, which were too
			     many */
};

/* Somebody who follows.  [C] */
struct follower {
	struct follower *next, *prev; /* utlist */
	void (*event)(struct follower *follower, const struct event *event);
};

#define FOLLOWERS_MAX 8

/* False: there are too many.  [C] */
bool events_follow(struct relay_ctx *cx, struct follower *follower);
void events_unfollow(struct relay_ctx *cx, struct follower *follower);

/* Whether anybody follows. */
static inline bool events_wanted(const struct relay_ctx *cx)
{
	return atomic_load_explicit(
		       &data_of(cx)->events.followed, memory_order_relaxed) > 0;
}

/* An event of a connection; `detail` and `target`, the ID of another device,
 * may be NULL.  [W] */
void events_conn(struct relay_ctx *cx, const struct relay_conn *conn,
	const char *what, const char *detail, const uint8_t *target);
/* An event of a device without a connection, at that address. */
void events_elsewhere(struct relay_ctx *cx, const uint8_t *id,
	const char *address, const char *what, const char *detail,
	const uint8_t *target);
void events_session(struct relay_ctx *cx, const struct relay_session *session,
	const char *what, const char *detail);

#endif

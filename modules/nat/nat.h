/* SPDX-License-Identifier: MPL-2.0 */

/*
 * nat.h - what the parts of the module share.
 *
 * nat.c     descriptor, options, life cycle
 * sides.c   what is mapped: ports by IPv4, pinholes by IPv6; a keeper each
 * news.c    news from keepers: logged, counted, announced to clients
 * keeper.c  a thread that maps a port and keeps it mapped
 */
#ifndef NAT_H
#define NAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <event2/event.h>

#include <strelaysrv/module.h>

#include "keeper.h"

struct conf {
	bool enabled;
	bool status;
	int64_t lease_ms;
	int64_t renewal_ms;
	int64_t timeout_ms;
	int64_t check_ms;
	const char *const *gateways;
};

enum {
	METRIC_MAPPED,
	METRIC_CHANGES,
	METRIC_FAILURES,
	METRIC_REFUSED,
	METRICS
};

/*
 * A port of the gateway's for IPv4, a hole in its firewall for IPv6; the same
 * for the status address.
 */
enum { IPV4, IPV6, STATUS_IPV4, STATUS_IPV6, SIDES };

/* A keeper and the event that reports its news; both NULL if none is needed. */
struct side_keeper {
	struct keeper *keeper;
	struct event *event;
};

struct side {
	struct side_keeper now;
	bool mapped;
	struct sockaddr_storage outer; /* as announced last */
	/* What sides_prepare() has made. */
	bool next_wanted;
	struct keeper_conf next_conf;
	struct side_keeper next; /* only if there is none now */
};

/* [C] only. */
struct state {
	struct side sides[SIDES];
	struct relay_metric *metrics[METRICS];
	struct relay_log_kind refused[REFUSALS];
	bool left; /* another process has taken over the mappings */
};

static inline struct state *state_of(const struct relay_ctx *cx)
{
	return cx->data;
}

static inline bool side_is_v6(int side)
{
	return side == IPV6 || side == STATUS_IPV6;
}

static inline bool side_is_status(int side)
{
	return side == STATUS_IPV4 || side == STATUS_IPV6;
}

static inline int address_family(int side)
{
	return side_is_v6(side) ? AF_INET6 : AF_INET;
}

/* sides.c */

/* Reads the option `gateway`. 0, or -1 with err. */
int sides_read_gateways(
	const struct conf *conf, struct hosts *out, struct relay_err *err);
/*
 * Prepares keepers for these options while the current mappings stay. 0, or -1
 * with err and nothing made; then call sides_commit() or sides_abandon().
 */
int sides_prepare(
	struct relay_ctx *cx, const struct conf *conf, struct relay_err *err);
void sides_commit(struct relay_ctx *cx);
/* After sides_commit(), once the status address has moved. */
void sides_settle(struct relay_ctx *cx);
void sides_abandon(struct relay_ctx *cx);
/* Prepares and commits with the options in force; errors are logged. */
void sides_apply(struct relay_ctx *cx);
/* Starts to remove all mappings, and waits for that for at most `wait_s`. */
void sides_end(struct relay_ctx *cx, time_t wait_s);
/* Stops without removing mappings: another process uses them. */
void sides_leave(struct relay_ctx *cx);

/* news.c */

/* Called by libevent when a keeper has news. arg: the module's context. */
void news_arrive(evutil_socket_t fd, short what, void *arg);
/* Withdraws the announced address of that side. */
void news_forget(struct relay_ctx *cx, int side);

#endif

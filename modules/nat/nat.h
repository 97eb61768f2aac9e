/* SPDX-License-Identifier: MPL-2.0 */

/*
 * nat.h - what the parts of the module share.
 *
 * nat.c     descriptor, options, life
 * sides.c   IPv4 and IPv6: whether a port is mapped, by a keeper each
 * news.c    what keepers tell: logged, counted, and told to clients
 * keeper.c  a thread that gets a port mapped and keeps it so
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

/* A port of the gateway's for IPv4, a hole in its firewall for IPv6. */
enum { IPV4, IPV6, FAMILIES };

/* A keeper, and the event of its news; both NULL: none is needed. */
struct side_keeper {
	struct keeper *keeper;
	struct event *event;
};

struct side {
	struct side_keeper now;
	bool mapped;
	struct sockaddr_storage outer; /* as it was told last */
	/* What sides_prepare() has found. */
	bool next_wanted;
	struct keeper_conf next_conf;
	struct side_keeper next; /* only if there is none now */
};

/* [C] only. */
struct state {
	struct side sides[FAMILIES];
	struct relay_metric *metrics[METRICS];
	struct relay_log_kind refused[REFUSALS];
	bool left; /* to another process */
};

static inline struct state *state_of(const struct relay_ctx *cx)
{
	return cx->data;
}

static inline int address_family(int family)
{
	return family == IPV6 ? AF_INET6 : AF_INET;
}

/* sides.c */

/* The option `gateway`.  0, or -1 with err. */
int sides_read_gateways(
	const struct conf *conf, struct hosts *out, struct relay_err *err);
/*
 * Makes what these options need beside what is mapped.  0, or -1 with err and
 * nothing made; then one of the two others.
 */
int sides_prepare(
	struct relay_ctx *cx, const struct conf *conf, struct relay_err *err);
void sides_commit(struct relay_ctx *cx);
void sides_abandon(struct relay_ctx *cx);
/* Both at once with the options in force; what fails is logged. */
void sides_apply(struct relay_ctx *cx);
/* Gateways are told to forget what they map; waits for that `wait_s` at most.
 */
void sides_end(struct relay_ctx *cx, time_t wait_s);
/* What is mapped stays so, for another process. */
void sides_leave(struct relay_ctx *cx);

/* news.c */

/* A callback of libevent: a keeper has news.  arg: the module's context. */
void news_arrive(evutil_socket_t fd, short what, void *arg);
/* Clients are told no external address of that family any more. */
void news_forget(struct relay_ctx *cx, int family);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* Capacity: descriptors, and how many connections may be open. */

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <strelaysrv/server.h>

#include "base/cgroup.h"
#include "base/instance.h"
#include "log/log.h"
#include "net/capacity.h"
#include "net/net_state.h"

/* How many per cent of all descriptors connections may use, unless
 * max-connections is set. */
#define CONNECTIONS_PERCENT 80

/*
 * In a control group with a limit of memory, connections may use half of it,
 * and sessions' kernel memory the other half.  A joined device takes up to 20
 * KiB in the process and 4 KiB in the kernel, and its handshake more for a
 * moment.
 */
#define CONNECTION_MEMORY (32 * 1024)
#define MEMORY_PART       2

/* Reserved for logs, keys, HTTP and connections to pools: these must work even
 * when peers have all the descriptors that they may have. */
#define RESERVE_MOST  64
#define RESERVE_SHARE 4 /* at most a quarter of the descriptor limit */
/* 1 / LOAN_SHARE of the reserve, without HTTP's part, may be borrowed. */
#define LOAN_SHARE 4
/*
 * HTTP may have 1/HTTP_SHARE of the descriptors, or, if that is more,
 * 1/HTTP_SMALL of them up to HTTP_SMALL.  HTTP_LEAST is enough for a health
 * check and a scraper.  The reserve above includes HTTP_IN_RESERVE for HTTP.
 */
#define HTTP_SHARE      32
#define HTTP_MOST       512
#define HTTP_IN_RESERVE 32
#define HTTP_SMALL      16
#define HTTP_LEAST      2
/* At least 1 / UNSETTLED_SHARE is left to connections that have not settled. */
#define UNSETTLED_SHARE 16
/* Descriptors per pipe: a pipe takes two of them, and speeds up bulk transfers
 * only. */
#define PIPES_SHARE 20

static struct capacity *self(void)
{
	return &instance->net->capacity;
}

static int64_t raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	if (limit.rlim_cur < limit.rlim_max) {
		rlim_t before = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
			log_core(RELAY_WARNING,
				"cannot raise the descriptor limit: %s",
				strerror(errno));
			limit.rlim_cur = before;
		}
	}
	/* The kernel has a bound of its own for "infinity". */
	return limit.rlim_cur > 1 << 30 ? 1 << 30 : (int64_t)limit.rlim_cur;
}

void capacity_init(
	int64_t max_connections, int64_t own, const struct cgroup_limit *memory)
{
	struct capacity *capacity = self();
	int64_t pipes;

	capacity->all = raise_descriptors();
	pipes = capacity->all / PIPES_SHARE;
	capacity->pipes = (unsigned)(pipes > 4096 ? 4096 : pipes);
	capacity_bound(max_connections, own, memory);
}

static int64_t http_share(void)
{
	struct capacity *capacity = self();
	int64_t small = capacity->all / HTTP_SMALL;
	int64_t share = capacity->all / HTTP_SHARE;

	small = small < HTTP_SMALL ? small : HTTP_SMALL;
	share = share > small ? share : small;
	if (share < HTTP_LEAST)
		return HTTP_LEAST;
	return share < HTTP_MOST ? share : HTTP_MOST;
}

size_t capacity_http(void)
{
	/* Before capacity_init() the number of descriptors is unknown. */
	return self()->all ? (size_t)http_share() : HTTP_MOST;
}

static int64_t reserve_of_all(void)
{
	int64_t share = self()->all / RESERVE_SHARE;
	int64_t http = http_share() - HTTP_IN_RESERVE;

	return (share < RESERVE_MOST ? share : RESERVE_MOST) +
	       (http > 0 ? http : 0);
}

/* The default of max-connections, and its reason. */
static int64_t default_limit(
	const struct cgroup_limit *memory, char *why, size_t room)
{
	int64_t most = self()->all * CONNECTIONS_PERCENT / 100;
	int64_t by_memory = memory->most / MEMORY_PART / CONNECTION_MEMORY;

	(void)snprintf(
		why, room, "%d %% of the descriptors", CONNECTIONS_PERCENT);
	if (memory->most == 0 || by_memory >= most)
		return most;
	(void)snprintf(why, room,
		"one for each %d KiB of half of the memory that %s allows",
		CONNECTION_MEMORY / 1024, memory->file);
	return by_memory > 1 ? by_memory : 1;
}

void capacity_bound(
	int64_t max_connections, int64_t own, const struct cgroup_limit *memory)
{
	struct capacity *capacity = self();
	char why[400] = "max-connections";
	int64_t reserve = reserve_of_all();
	int64_t hard =
		capacity->all - reserve - own - 2 * (int64_t)capacity->pipes;
	int64_t soft = max_connections
			       ? max_connections
			       : default_limit(memory, why, sizeof(why));

	if (hard < 1)
		hard = 1;
	if (soft > hard && max_connections)
		log_core(RELAY_WARNING,
			"max-connections is %" PRId64
			", but the descriptor limit leaves room for %" PRId64,
			max_connections, hard);
	/* The descriptors between `soft` and `hard` remain for connections that
	 * have not settled, and for those to which a module sends a refusal. */
	if (soft > hard - hard / UNSETTLED_SHARE) {
		soft = hard - hard / UNSETTLED_SHARE;
		(void)snprintf(why, sizeof(why), "the descriptor limit");
	}
	atomic_store_explicit(&capacity->hard, hard, memory_order_relaxed);
	atomic_store_explicit(&capacity->loan,
		(reserve < RESERVE_MOST ? reserve : RESERVE_MOST) / LOAN_SHARE,
		memory_order_relaxed);
	if (atomic_exchange_explicit(
		    &capacity->soft, soft, memory_order_relaxed) != soft)
		log_core(RELAY_NOTICE, "Connection limit %" PRId64 ": %s", soft,
			why);
}

static bool enter(int64_t over)
{
	struct capacity *capacity = self();
	int64_t most =
		atomic_load_explicit(&capacity->hard, memory_order_relaxed);

	if (atomic_fetch_add_explicit(
		    &capacity->open, 1, memory_order_relaxed) < most + over)
		return true;
	capacity_leave();
	return false;
}

bool capacity_enter(void)
{
	return enter(0);
}

bool capacity_borrow(void)
{
	return enter(atomic_load_explicit(&self()->loan, memory_order_relaxed));
}

bool capacity_overdrawn(void)
{
	struct capacity *capacity = self();

	return atomic_load_explicit(&capacity->open, memory_order_relaxed) >
	       atomic_load_explicit(&capacity->hard, memory_order_relaxed);
}

void capacity_leave(void)
{
	atomic_fetch_sub_explicit(&self()->open, 1, memory_order_relaxed);
}

unsigned capacity_pipes(void)
{
	return self()->pipes;
}

void capacity_settle(void)
{
	atomic_fetch_add_explicit(&self()->settled, 1, memory_order_relaxed);
}

void capacity_unsettle(void)
{
	atomic_fetch_sub_explicit(&self()->settled, 1, memory_order_relaxed);
}

static int64_t settled(void)
{
	return atomic_load_explicit(&self()->settled, memory_order_relaxed);
}

bool relay_over_limit(void)
{
	return settled() > capacity_limit();
}

bool relay_at_limit(void)
{
	return settled() >= capacity_limit();
}

int64_t capacity_limit(void)
{
	return atomic_load_explicit(&self()->soft, memory_order_relaxed);
}

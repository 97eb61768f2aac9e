/* SPDX-License-Identifier: MPL-2.0 */

/* Capacity: descriptors, and how many connections may be open. */

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

#include <strelaysrv/server.h>

#include "capacity.h"
#include "log.h"

/* Logs, keys, HTTP, pools' connections: what must work when all is full. */
#define RESERVE_MOST  64
#define RESERVE_SHARE 4 /* of a very small limit, at most one in four */
/* Pipes have two descriptors each, and speed up only who is in bulk. */
#define PIPES_SHARE 20

static struct {
	int64_t soft; /* over it newcomers are refused by the protocol */
	int64_t hard; /* over it they are closed at once */
	unsigned pipes;
	_Atomic int64_t open;
} capacity;

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
	/* "infinity" is bounded by the kernel all the same. */
	return limit.rlim_cur > 1 << 30 ? 1 << 30 : (int64_t)limit.rlim_cur;
}

void capacity_init(int64_t max_connections, int64_t own)
{
	int64_t all = raise_descriptors();
	int64_t reserve = all / RESERVE_SHARE < RESERVE_MOST
				  ? all / RESERVE_SHARE
				  : RESERVE_MOST;
	int64_t pipes = all / PIPES_SHARE;

	capacity.pipes = (unsigned)(pipes > 4096 ? 4096 : pipes);
	capacity.hard = all - reserve - own - 2 * (int64_t)capacity.pipes;
	if (capacity.hard < 1)
		capacity.hard = 1;
	capacity.soft = max_connections ? max_connections : all * 8 / 10;
	if (capacity.soft > capacity.hard) {
		if (max_connections)
			log_core(RELAY_WARNING,
				"max-connections is %" PRId64
				", but the descriptor limit leaves room for "
				"%" PRId64,
				max_connections, capacity.hard);
		capacity.soft = capacity.hard;
	}
	log_core(RELAY_NOTICE, "Connection limit %" PRId64, capacity.soft);
}

bool capacity_enter(void)
{
	if (atomic_fetch_add_explicit(&capacity.open, 1, memory_order_relaxed) <
		capacity.hard)
		return true;
	capacity_leave();
	return false;
}

void capacity_leave(void)
{
	atomic_fetch_sub_explicit(&capacity.open, 1, memory_order_relaxed);
}

unsigned capacity_pipes(void)
{
	return capacity.pipes;
}

bool relay_over_limit(void)
{
	return atomic_load_explicit(&capacity.open, memory_order_relaxed) >
	       capacity.soft;
}

int64_t capacity_limit(void)
{
	return capacity.soft;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* The limit is an atomic number, which the watching thread counts down. */

#include <stdatomic.h>

#include "workers/wait_limit.h"
#include "workers/workers_state.h"

int64_t wait_limit_set(int64_t ms)
{
	return atomic_exchange(&instance->workers->wait_left_ms, ms);
}

bool wait_limit_pass(int64_t ms)
{
	_Atomic int64_t *limit = &instance->workers->wait_left_ms;
	int64_t left = atomic_load(limit);
	int64_t next = left > ms ? left - ms : 0;

	/* If the control thread sets another limit meanwhile, that counts. */
	return left > 0 && atomic_compare_exchange_strong(limit, &left, next) &&
	       next == 0;
}

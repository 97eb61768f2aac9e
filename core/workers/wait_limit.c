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

	/* If the control thread sets another limit meanwhile, that counts. */
	if (left > ms)
		(void)atomic_compare_exchange_strong(limit, &left, left - ms);
	return left > 0 && left <= ms;
}

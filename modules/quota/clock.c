/* SPDX-License-Identifier: MPL-2.0 */

/* The wall clock. */

#include <strelaysrv/thread.h>

#include "clock.h"

int64_t clock_now_s(void)
{
	return relay_wall_us() / 1000000;
}

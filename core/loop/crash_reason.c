/* SPDX-License-Identifier: MPL-2.0 */

/* The reason is the thread's: the report is written by the same thread. */

#include <stdlib.h>

#include "loop/crash_reason.h"

static _Thread_local const char *reason;

void crash_abort(const char *why)
{
	reason = why;
	abort();
}

const char *crash_reason(void)
{
	return reason;
}

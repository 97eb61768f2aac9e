/* SPDX-License-Identifier: MPL-2.0 */

/* Counts refused answers of gateways and impostors. */

#include <stdarg.h>
#include <stdio.h>

#include "refusal.h"

const char *const refusal_words[] = {[REFUSAL_STRANGER] = "stranger",
	[REFUSAL_ELSEWHERE] = "elsewhere",
	[REFUSAL_SIZE] = "size",
	[REFUSAL_TIME] = "time",
	[REFUSAL_ADDRESS] = "address",
	[REFUSAL_PORT] = "port",
	[REFUSAL_LEASE] = "lease",
	[REFUSAL_CHANGE] = "change",
	[REFUSALS] = NULL};

int refuse(struct refusals *to, enum refusal reason, struct relay_err *err,
	const char *fmt, ...)
{
	struct relay_err *last = &to->last[reason];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(last->text, sizeof(last->text), fmt, args);
	va_end(args);
	to->counts[reason]++;
	if (err)
		*err = *last;
	return -1;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Rate-limited log records: one of a kind in ten seconds. */

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "log/log.h"

#define LOG_KIND_MS 10000

/*
 * All threads share the members.  The compiler's built-in atomics are used, so
 * that the public header does not require C11 atomics.
 */
bool log_ratelimit_due(
	struct relay_log_kind *kind, int64_t now_ms, uint64_t *left_out)
{
	int64_t due = __atomic_load_n(&kind->due_ms, __ATOMIC_RELAXED);

	if (now_ms < due || !__atomic_compare_exchange_n(&kind->due_ms, &due,
				    now_ms + LOG_KIND_MS, false,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		__atomic_fetch_add(&kind->left_out, 1, __ATOMIC_RELAXED);
		return false;
	}
	*left_out = __atomic_exchange_n(&kind->left_out, 0, __ATOMIC_RELAXED);
	return true;
}

void log_ratelimit_valist(const char *component, enum relay_level level,
	struct relay_log_kind *kind, const char *fmt, va_list ap)
{
	char count[24];
	struct relay_field fields[] = {{"left_out", count}, {NULL, NULL}};
	uint64_t left_out;

	if (!relay_log_wanted(level) ||
		!log_ratelimit_due(kind, clock_ms(), &left_out))
		return;
	(void)snprintf(
		count, sizeof(count), "%llu", (unsigned long long)left_out);
	log_valist(component, level, left_out ? fields : NULL, fmt, ap);
}

void log_core_seldom(enum relay_level level, struct relay_log_kind *kind,
	const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_ratelimit_valist("core", level, kind, fmt, ap);
	va_end(ap);
}

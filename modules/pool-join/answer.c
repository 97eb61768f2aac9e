/* SPDX-License-Identifier: MPL-2.0 */

/* How the log and /status report a pool's answer. */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <strelaysrv/units.h>

#include "answer.h"

#define NS_PER_MS 1000000
#define EXCERPT   200 /* bytes of the answer, in the log */

/* The first line; the log escapes unprintable bytes. */
static void excerpt(const struct request_result *result, char *out, size_t cap)
{
	size_t len = result->len < cap - 1 ? result->len : cap - 1;

	memcpy(out, result->body, len);
	while (len > 0 && isspace((unsigned char)out[len - 1]))
		len--;
	out[len] = '\0';
}

void answer_log(const struct relay_ctx *cx, const struct pool *pool,
	const struct request_result *result, const struct plan_next *next)
{
	char again[RELAY_DURATION_TEXT], body[EXCERPT];
	const char *from =
		result->local[0] ? result->local : "no address: not connected";
	int64_t seconds = (next->told_ms + 500) / 1000;

	relay_duration_format(seconds * 1000 * NS_PER_MS, again);
	excerpt(result, body, sizeof(body));
	if (next->outcome == PLAN_JOINED)
		relay_log(cx, RELAY_INFO,
			"Joined pool %s, rejoining in %s (from %s)",
			pool->shown, again, from);
	else if (next->outcome == PLAN_UNREACHED)
		relay_log(cx, RELAY_WARNING,
			"Failed to join pool %s: %s; again in %s (from %s)",
			pool->shown, result->error, again, from);
	else if (next->outcome == PLAN_UNDECODABLE)
		relay_log(cx, RELAY_WARNING,
			"Failed to join pool %s: cannot parse its answer%s"
			"%s: %s; again in %s (from %s)",
			pool->shown, result->error[0] ? ", " : "",
			result->error, body, again, from);
	else
		relay_log(cx, RELAY_WARNING,
			"Failed to join pool %s: it answers %ld: %s; again in "
			"%s (from %s)",
			pool->shown, result->status, body, again, from);
}

/*
 * For /status, which strangers can read: without our addresses or proxy, and
 * without unprintable bytes of the pool.
 */
void answer_note(struct pool *pool, const struct request_result *result,
	enum plan_outcome outcome)
{
	char body[EXCERPT], text[POOL_REASON];

	excerpt(result, body, sizeof(body));
	if (outcome == PLAN_JOINED)
		text[0] = '\0';
	else if (outcome == PLAN_UNREACHED)
		(void)snprintf(text, sizeof(text), "%s", result->kind);
	else if (outcome == PLAN_UNDECODABLE)
		(void)snprintf(text, sizeof(text),
			"cannot decode its answer: %s", body);
	else
		(void)snprintf(
			text, sizeof(text), "%ld: %s", result->status, body);
	(void)relay_log_escape(text, pool->reason, sizeof(pool->reason));
}

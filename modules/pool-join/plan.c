/* SPDX-License-Identifier: MPL-2.0 */

/* Interprets a pool's answer, and plans the next request. */

#include <math.h>

#include <cjson/cJSON.h>

#include "plan.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#define NS_PER_MS 1000000.0

/* A pool that grants less or more time than this is faulty. */
#define EVICTION_MIN (10 * SECOND)
#define EVICTION_MAX (7 * DAY)

/* 90 % to 110 % of the delay, but not above the limit. */
static int64_t jitter(int64_t ms, int64_t most, uint32_t random)
{
	int64_t spread = ms / 5;
	int64_t at = ms - spread / 2 +
		     (int64_t)((double)spread * random / UINT32_MAX);

	return at > most ? most : at;
}

/* `first`, doubled with each consecutive failure. */
static int64_t backoff(
	unsigned *times, int64_t first, int64_t most, uint32_t random)
{
	int64_t ms = first;

	for (unsigned i = 0; i < *times && ms < most; i++)
		ms *= 2;
	if (ms < most)
		(*times)++;
	return jitter(ms < most ? ms : most, most, random);
}

/* For how long the pool lists the relay; 0 if the answer does not say. */
static int64_t eviction_ms(const struct plan_answer *answer)
{
	cJSON *tree;
	const cJSON *item;
	double ms = 0;

	if (answer->cut)
		return 0;
	tree = cJSON_ParseWithLength(answer->body, answer->len);
	item = cJSON_GetObjectItem(tree, "evictionIn");
	if (cJSON_IsNumber(item))
		ms = item->valuedouble / NS_PER_MS;
	cJSON_Delete(tree);
	if (!isfinite(ms) || ms < (double)EVICTION_MIN ||
		ms > (double)EVICTION_MAX)
		return 0;
	return (int64_t)ms;
}

static struct plan_next joined(
	struct plan *plan, int64_t eviction, uint32_t random)
{
	struct plan_next next = {.outcome = PLAN_JOINED};

	*plan = (struct plan){0};
	next.keep_ms = eviction;
	next.told_ms = eviction - eviction / 5;
	/* Up to 1 % earlier, so that relays started together spread out. */
	next.delay_ms = next.told_ms - (int64_t)((double)(next.told_ms / 100) *
						 random / UINT32_MAX);
	return next;
}

static enum plan_outcome judge(
	const struct plan_answer *answer, int64_t *eviction)
{
	if (answer->status == 0)
		return PLAN_UNREACHED;
	if (answer->status == 401)
		return PLAN_UNAUTHORIZED;
	if (answer->status != 200)
		return PLAN_REFUSED;
	*eviction = eviction_ms(answer);
	return *eviction ? PLAN_JOINED : PLAN_UNDECODABLE;
}

struct plan_next plan_after(
	struct plan *plan, const struct plan_answer *answer, uint32_t random)
{
	struct plan_next next = {.outcome = PLAN_UNREACHED};
	int64_t eviction = 0;

	next.outcome = judge(answer, &eviction);
	switch (next.outcome) {
	case PLAN_JOINED:
		return joined(plan, eviction, random);
	case PLAN_UNDECODABLE:
		next.delay_ms = jitter(HOUR, 2 * HOUR, random);
		break;
	case PLAN_UNAUTHORIZED:
		next.delay_ms = backoff(&plan->refusals, HOUR, DAY, random);
		break;
	case PLAN_REFUSED:
	case PLAN_UNREACHED:
	case PLAN_OUTCOMES:
		next.delay_ms =
			backoff(&plan->failures, MINUTE, 10 * MINUTE, random);
		break;
	}
	next.told_ms = next.delay_ms;
	return next;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* The relays of a pool, and the order in which to try them. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "candidates.h"
#include "client_uri.h"

/* An empty host means loopback; a pool must not send us there. */
static bool is_good(const char *text)
{
	struct client_uri uri;

	return client_uri_parse(text, &uri, NULL) == 0 &&
	       uri.kind == CLIENT_URI_RELAY && uri.host[0];
}

static int add(struct candidates *out, const char *uri)
{
	struct candidate *c = &out->all[out->count];

	c->uri = strdup(uri);
	c->latency_us = INT64_MAX;
	if (!c->uri)
		return -1;
	out->count++;
	return 0;
}

static int read_list(
	const cJSON *list, struct candidates *out, struct relay_err *err)
{
	const cJSON *entry;

	out->all = calloc(CANDIDATES_MAX, sizeof(*out->all));
	if (!out->all)
		return relay_fail(err, "no memory for the pool's list");
	cJSON_ArrayForEach(entry, list)
	{
		const char *uri = cJSON_GetStringValue(
			cJSON_GetObjectItemCaseSensitive(entry, "url"));

		if (out->count == CANDIDATES_MAX)
			break;
		if (uri && is_good(uri) && add(out, uri))
			return relay_fail(err, "no memory for the pool's list");
	}
	if (out->count == 0)
		return relay_fail(err, "its list names no relay");
	return 0;
}

int candidates_parse(const char *json, size_t len, struct candidates *out,
	struct relay_err *err)
{
	cJSON *all = NULL;
	const cJSON *list;
	int result = -1;

	*out = (struct candidates){.all = NULL};
	if (len <= CANDIDATES_BODY_MAX)
		all = cJSON_ParseWithLength(json, len);
	list = cJSON_GetObjectItemCaseSensitive(all, "relays");
	if (len > CANDIDATES_BODY_MAX)
		(void)relay_fail(err, "its answer has more than %zu bytes",
			CANDIDATES_BODY_MAX);
	else if (!all)
		(void)relay_fail(err, "its answer is no JSON");
	else if (!cJSON_IsArray(list))
		(void)relay_fail(err, "its answer has no list \"relays\"");
	else
		result = read_list(list, out, err);
	cJSON_Delete(all);
	if (result)
		candidates_finish(out);
	return result;
}

void candidates_finish(struct candidates *candidates)
{
	for (size_t i = 0; i < candidates->count; i++)
		free(candidates->all[i].uri);
	free(candidates->all);
	*candidates = (struct candidates){.all = NULL};
}

struct rank {
	struct candidate candidate;
	int64_t step;
	uint64_t random;
};

static int compare(const void *a, const void *b)
{
	const struct rank *one = a, *other = b;

	if (one->step != other->step)
		return one->step < other->step ? -1 : 1;
	if (one->random != other->random)
		return one->random < other->random ? -1 : 1;
	return 0;
}

void candidates_order(struct candidates *candidates,
	void (*fill)(void *buf, size_t len, void *arg), void *arg)
{
	size_t count = candidates->count;
	struct rank *ranks = count ? calloc(count, sizeof(*ranks)) : NULL;

	/* If memory is short, keep the pool's order. */
	if (!ranks)
		return;
	for (size_t i = 0; i < count; i++) {
		ranks[i].candidate = candidates->all[i];
		ranks[i].step =
			ranks[i].candidate.latency_us / CANDIDATES_STEP_US;
		fill(&ranks[i].random, sizeof(ranks[i].random), arg);
	}
	qsort(ranks, count, sizeof(*ranks), compare);
	for (size_t i = 0; i < count; i++)
		candidates->all[i] = ranks[i].candidate;
	free(ranks);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* The places of asks that are being answered. */

#include <stdlib.h>
#include <string.h>

#include "cluster/answering_places.h"

int answering_init(struct answering *answering)
{
	answering->ask = calloc(ANSWERING_MOST, sizeof(*answering->ask));
	return answering->ask ? 0 : -1;
}

void answering_finish(struct answering *answering)
{
	free(answering->ask);
	answering->ask = NULL;
}

struct answering_ask *answering_find(
	struct answering *answering, uint64_t serial)
{
	struct answering_ask *ask = &answering->ask[serial % ANSWERING_MOST];

	return serial && ask->serial == serial && !ask->answered ? ask : NULL;
}

static bool is_free(const struct answering_ask *ask, int64_t now_ms)
{
	return !ask->serial || now_ms - ask->began_ms >= ANSWERING_MS;
}

struct answering_ask *answering_take(struct answering *answering,
	const struct message *in, int64_t now_ms, bool *again)
{
	uint64_t begin =
		(in->from ^ in->ask.number) * 0x9e3779b97f4a7c15U >> 32;
	struct answering_ask *found = NULL;

	for (uint64_t i = 0; i < ANSWERING_NEAR; i++) {
		uint64_t place = (begin + i) % ANSWERING_MOST;
		struct answering_ask *ask = &answering->ask[place];

		*again = !is_free(ask, now_ms) && ask->from == in->from &&
			 ask->ask.number == in->ask.number;
		if (*again)
			return ask;
		if (is_free(ask, now_ms) || (ask->answered && !found))
			found = found && is_free(found, now_ms) ? found : ask;
	}
	if (!found)
		return NULL;
	begin = (uint64_t)(found - answering->ask);
	memset(found, 0, sizeof(*found));
	found->serial = ++answering->round * ANSWERING_MOST + begin;
	found->began_ms = now_ms;
	found->from = in->from;
	found->ask = in->ask;
	return found;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* Joins at a constant rate, even if the server is slow. */

#include <stdlib.h>

#include "identity.h"
#include "joiner.h"
#include "link.h"
#include "meter.h"
#include "steady.h"

#define PLACES 256 /* most running joins */

struct place {
	struct joiner *all;
	struct link *link;
	int64_t begin_ns;
};

struct joiner {
	struct siege *siege;
	struct kind *kind;
	struct identities identities;
	struct steady pace;
	struct place places[PLACES];
};

static void end(struct place *place, enum failure why)
{
	link_destroy(place->link);
	place->link = NULL;
	kind_ended(place->all->kind, place->begin_ns, why);
}

static void opened(struct link *link, void *arg)
{
	(void)arg;
	link_join(link);
}

static void got_message(struct link *link, const struct frame_header *header,
	const uint8_t *body, void *arg)
{
	struct frame_response response;
	enum failure why = FAILURE_PROTOCOL;

	(void)link;
	if (header->type == FRAME_RELAY_FULL)
		why = FAILURE_RELAY_FULL;
	else if (header->type == FRAME_RESPONSE &&
		 !frame_read_response(body, header->length, &response))
		why = failure_of_code(response.code);
	end(arg, why);
}

static void failed(struct link *link, enum failure why, void *arg)
{
	(void)link;
	end(arg, why);
}

static void begin(struct joiner *all, size_t i)
{
	static const struct link_handlers handlers = {
		opened, got_message, failed};
	struct place *place = &all->places[i];

	place->begin_ns = meter_now_ns();
	all->kind->under_way++;
	place->link = link_create(&all->siege->bench, &all->siege->bench.server,
		&all->identities.all[i], &handlers, place);
	if (!place->link)
		kind_ended(all->kind, place->begin_ns, FAILURE_LOCAL);
}

/* Uses a free place, if there is one. */
static void begin_one(void *arg)
{
	struct joiner *all = arg;
	size_t i = 0;

	while (i < PLACES && all->places[i].link)
		i++;
	if (i < PLACES)
		begin(all, i);
}

struct joiner *joiner_create(struct siege *siege, int64_t every_ms,
	const bool *over, struct kind *kind)
{
	struct joiner *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->siege = siege;
	all->kind = kind;
	if (identities_make(&all->identities, PLACES, false)) {
		free(all);
		return NULL;
	}
	for (size_t i = 0; i < PLACES; i++)
		all->places[i].all = all;
	steady_start(
		&all->pace, siege->bench.base, every_ms, over, begin_one, all);
	return all;
}

void joiner_destroy(struct joiner *joiner)
{
	if (!joiner)
		return;
	steady_stop(&joiner->pace);
	for (size_t i = 0; i < PLACES; i++)
		link_destroy(joiner->places[i].link);
	identities_finish(&joiner->identities);
	free(joiner);
}

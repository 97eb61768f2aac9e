/* SPDX-License-Identifier: MPL-2.0 */

/* Joins at a steady pace: a slow server does not get fewer of them. */

#include <stdlib.h>

#include "identity.h"
#include "joiner.h"
#include "link.h"
#include "meter.h"

#define PLACES 256 /* joins under way at most; more would be no use */

struct place {
	struct joiner *all;
	struct link *link;
	int64_t begin_ns;
};

struct joiner {
	struct siege *siege;
	struct timeval every;
	const bool *over;
	struct kind *kind;
	struct identities identities;
	struct event tick;
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
	place->link = link_create(
		&all->siege->bench, &all->identities.all[i], &handlers, place);
	if (!place->link)
		kind_ended(all->kind, place->begin_ns, FAILURE_LOCAL);
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
	struct joiner *all = arg;
	size_t i = 0;

	(void)fd;
	(void)what;
	if (*all->over)
		return;
	while (i < PLACES && all->places[i].link)
		i++;
	if (i < PLACES)
		begin(all, i);
	evtimer_add(&all->tick, &all->every);
}

struct joiner *joiner_create(struct siege *siege, int64_t every_ms,
	const bool *over, struct kind *kind)
{
	struct joiner *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->siege = siege;
	all->every = (struct timeval){every_ms / 1000, every_ms % 1000 * 1000};
	all->over = over;
	all->kind = kind;
	if (identities_make(&all->identities, PLACES, false)) {
		free(all);
		return NULL;
	}
	for (size_t i = 0; i < PLACES; i++)
		all->places[i].all = all;
	evtimer_assign(&all->tick, siege->bench.base, tick, all);
	evtimer_add(&all->tick, &all->every);
	return all;
}

void joiner_destroy(struct joiner *joiner)
{
	if (!joiner)
		return;
	evtimer_del(&joiner->tick);
	for (size_t i = 0; i < PLACES; i++)
		link_destroy(joiner->places[i].link);
	identities_finish(&joiner->identities);
	free(joiner);
}

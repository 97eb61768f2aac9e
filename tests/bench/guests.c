/* SPDX-License-Identifier: MPL-2.0 */

/* Sides of sessions that never begin. */

#include <stdlib.h>

#include "guests.h"
#include "half.h"

#define PLACES 64

struct guest {
	struct half half;
	struct event patience;
};

struct guests {
	struct bench *bench;
	struct guest list[PLACES];
};

static void leave(struct guest *guest)
{
	event_del(&guest->patience);
	half_reset(&guest->half);
}

static void out_of_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	leave(arg);
}

static void changed(struct half *half, enum failure why, void *arg)
{
	(void)half;
	if (why)
		leave(arg);
}

struct guests *guests_create(struct bench *bench)
{
	struct guests *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->bench = bench;
	for (size_t i = 0; i < PLACES; i++) {
		struct guest *guest = &all->list[i];

		half_init(&guest->half, bench, changed, guest);
		evtimer_assign(
			&guest->patience, bench->base, out_of_patience, guest);
	}
	return all;
}

void guests_take(struct guests *guests, const struct frame_bytes *key)
{
	size_t i = 0;

	while (i < PLACES && guests->list[i].half.state != HALF_IDLE)
		i++;
	if (i == PLACES)
		return;
	evtimer_add(&guests->list[i].patience, guests->bench->patience);
	half_start(&guests->list[i].half, key);
}

void guests_destroy(struct guests *guests)
{
	if (!guests)
		return;
	for (size_t i = 0; i < PLACES; i++)
		leave(&guests->list[i]);
	free(guests);
}

/* SPDX-License-Identifier: MPL-2.0 */

/* What is to happen, in the order of time; chance; the trace. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cluster.h"
#include "replay.h"

#define EVENTS 65536

static struct event heap[EVENTS];
static unsigned count;
static uint32_t order;

uint64_t random_next(void)
{
	uint64_t z = w.random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

int64_t between(int64_t least, int64_t most)
{
	return least + (int64_t)(random_next() % (uint64_t)(most - least + 1));
}

bool chance(unsigned of_1000)
{
	return random_next() % 1000 < of_1000;
}

static bool is_before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void at(int64_t when, const struct event *event)
{
	unsigned i = count++;
	struct event new = *event;

	if (count == EVENTS)
		wrong("too many events");
	new.at = when < w.now ? w.now : when;
	new.order = order++;
	for (; i > 0 && is_before(&new, &heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = new;
}

struct event event_for(int node, enum what what)
{
	return (struct event){.what = (uint8_t)what,
		.node = node,
		.process = node < 0 ? 0 : w.node[node].process};
}

bool next_event(struct event *out)
{
	struct event last;
	unsigned i = 0, child;

	if (!count)
		return false;
	*out = heap[0];
	last = heap[--count];
	while ((child = 2 * i + 1) < count) {
		if (child + 1 < count &&
			is_before(&heap[child + 1], &heap[child]))
			child++;
		if (!is_before(&heap[child], &last))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = last;
	return true;
}

void forget_events(void)
{
	count = 0;
	order = 0;
}

void trace(const char *format, ...)
{
	va_list args;

	if (!w.trace)
		return;
	(void)fprintf(stderr, "%4" PRId64 ".%03" PRId64 " ", w.now / 1000,
		w.now % 1000);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
}

void wrong(const char *format, ...)
{
	va_list args;

	if (!w.trace)
		replay_traced();
	(void)fprintf(stderr, "cluster: ");
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	abort();
}

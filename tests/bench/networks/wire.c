/* SPDX-License-Identifier: MPL-2.0 */

/* The queue and the schedule of a simulated link. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define NS_PER_S 1e9
#define MILLION  1000000U

void wire_init(struct wire *wire, const struct wire_settings *settings)
{
	memset(wire, 0, sizeof(*wire));
	wire->settings = *settings;
	wire->chance = settings->seed;
}

void wire_finish(struct wire *wire)
{
	for (size_t i = 0; i < wire->count; i++)
		free(wire->packets[i].data);
	free(wire->packets);
	wire->packets = NULL;
	wire->count = wire->space = 0;
}

/* splitmix64: each seed gives another sequence, and 0 is as good as any. */
static uint64_t next_number(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static bool happens(struct wire *wire, int64_t ppm)
{
	return (int64_t)(next_number(&wire->chance) % MILLION) < ppm;
}

static bool comes_before(
	const struct wire_packet *one, const struct wire_packet *other)
{
	return one->due_ns != other->due_ns ? one->due_ns < other->due_ns
					    : one->number < other->number;
}

static void rise(struct wire_packet *heap, size_t at)
{
	const struct wire_packet packet = heap[at];

	while (at && comes_before(&packet, &heap[(at - 1) / 2])) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = packet;
}

static void sink(struct wire_packet *heap, size_t count)
{
	const struct wire_packet packet = heap[0];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < count) {
		if (child + 1 < count &&
			comes_before(&heap[child + 1], &heap[child]))
			child++;
		if (!comes_before(&heap[child], &packet))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = packet;
}

static bool has_room(struct wire *wire)
{
	size_t space = wire->space ? 2 * wire->space : 64;
	struct wire_packet *packets;

	if (wire->count < wire->space)
		return true;
	if (wire->count >= WIRE_MOST)
		return false;
	packets = realloc(wire->packets, space * sizeof(*packets));
	if (!packets)
		return false;
	wire->packets = packets;
	wire->space = space;
	return true;
}

static bool put(
	struct wire *wire, const uint8_t *data, size_t len, int64_t due_ns)
{
	uint8_t *copy = has_room(wire) ? malloc(len ? len : 1) : NULL;

	if (!copy)
		return false;
	memcpy(copy, data, len);
	wire->packets[wire->count] =
		(struct wire_packet){due_ns, wire->numbers++, len, copy};
	rise(wire->packets, wire->count++);
	return true;
}

static int64_t time_to_send(const struct wire *wire, size_t len)
{
	if (!wire->settings.bits_per_s)
		return 0;
	return (int64_t)((double)len * 8 * NS_PER_S /
			 (double)wire->settings.bits_per_s);
}

static bool queue_is_full(const struct wire *wire, size_t len, int64_t now_ns)
{
	double waiting = (double)(wire->free_ns - now_ns) *
			 (double)wire->settings.bits_per_s / 8 / NS_PER_S;

	return waiting + (double)len > (double)wire->settings.queue_bytes;
}

void wire_offer(
	struct wire *wire, const uint8_t *data, size_t len, int64_t now_ns)
{
	const struct wire_settings *s = &wire->settings;
	int64_t due_ns;

	wire->counts.offered++;
	if (wire->free_ns < now_ns)
		wire->free_ns = now_ns;
	/* The packet that is being sent has left the queue, so one always
	 * passes if the link is free. */
	if (wire->free_ns > now_ns && queue_is_full(wire, len, now_ns)) {
		wire->counts.queue_full++;
		return;
	}
	wire->free_ns += time_to_send(wire, len);
	if (happens(wire, s->loss_ppm)) {
		wire->counts.lost++;
		return;
	}
	due_ns = wire->free_ns + s->delay_ns;
	if (happens(wire, s->reorder_ppm)) {
		wire->counts.reordered++;
		due_ns += s->reorder_ns;
	}
	if (!put(wire, data, len, due_ns))
		wire->counts.no_room++;
}

int64_t wire_next_ns(const struct wire *wire)
{
	return wire->count ? wire->packets[0].due_ns : INT64_MAX;
}

uint8_t *wire_take(
	struct wire *wire, int64_t now_ns, size_t *len, int64_t *due_ns)
{
	struct wire_packet first;

	if (wire_next_ns(wire) > now_ns)
		return NULL;
	first = wire->packets[0];
	wire->packets[0] = wire->packets[--wire->count];
	if (wire->count)
		sink(wire->packets, wire->count);
	wire->counts.arrived++;
	wire->counts.arrived_bytes += first.len;
	*len = first.len;
	*due_ns = first.due_ns;
	return first.data;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* The payload of sessions: a number, then a piece of a long pattern. */

#include <string.h>

#include "client.h"
#include "payload.h"

/* A prime, so that no power of 2 is a period. */
#define PERIOD 65521

static uint8_t pattern[PERIOD];

void payload_begin(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < PERIOD; i++) {
		x = x * 1664525 + 1013904223;
		pattern[i] = (uint8_t)(x >> 24);
	}
}

void payload_make(int side, uint64_t at, uint8_t *out, size_t len)
{
	for (; len && at < NUMBER_LEN; at++, len--)
		*out++ = (uint8_t)(side >> (8 * at));
	while (len) {
		size_t from = (size_t)((at + (uint64_t)side * 7919) % PERIOD);
		size_t n = PERIOD - from < len ? PERIOD - from : len;

		memcpy(out, pattern + from, n);
		out += n;
		at += n;
		len -= n;
	}
}

/* The first bytes say who is on the other side. */
static void meet(int side)
{
	struct side *self = &sides[side];
	int other = 0;

	self->other = -2;
	if (sides_odd())
		return;

	for (int i = 0; i < NUMBER_LEN; i++)
		other |= self->number[i] << (8 * i);
	if (other < 0 || other >= side_count || other == side)
		sim_die("side %d gets bytes of side %d", side, other);
	for (int i = 0; i < side_count; i++)
		if (i != side && sides[i].other == other)
			sim_die("sides %d and %d get the bytes of side %d",
				side, i, other);
	if (sides[other].other >= 0 && sides[other].other != side)
		sim_die("side %d gets bytes of side %d, which gets those of %d",
			side, other, sides[other].other);
	self->other = other;
}

void payload_check(int side, const uint8_t *data, size_t len)
{
	static uint8_t wanted[1 << 21];
	struct side *self = &sides[side];

	for (; len && self->got < NUMBER_LEN; len--) {
		self->number[self->got++] = *data++;
		if (self->got == NUMBER_LEN)
			meet(side);
	}
	if (!len)
		return;
	if (self->other < 0 || sides[self->other].odd) {
		self->got += len;
		return;
	}
	if (self->got + len > sides[self->other].sent)
		sim_die("side %d gets more than side %d has sent", side,
			self->other);
	payload_make(self->other, self->got, wanted, len);
	if (memcmp(data, wanted, len) != 0)
		sim_die("side %d gets wrong bytes after %llu of side %d", side,
			(unsigned long long)self->got, self->other);
	self->got += len;
}

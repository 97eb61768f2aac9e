/* SPDX-License-Identifier: MPL-2.0 */

/* Hashed timing wheel. */

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/wheel.h"

#define WORD_BITS 64
#define WORDS     (WHEEL_SLOTS / WORD_BITS)

static void head_init(struct wheel_entry *head)
{
	head->next = head->prev = head;
	head->at_ms = 0;
}

static void link_last(struct wheel_entry *head, struct wheel_entry *e)
{
	e->next = head;
	e->prev = head->prev;
	head->prev->next = e;
	head->prev = e;
}

/* A time in the past goes into the current slot, which is visited next. */
static size_t slot_of(const struct wheel *w, int64_t at_ms)
{
	int64_t ms = at_ms > w->now_ms ? at_ms : w->now_ms;

	return (size_t)(ms / WHEEL_SLOT_MS % WHEEL_SLOTS);
}

/* slot_of() cannot be used here: its result depends on the time, which may have
 * advanced.  But if the entry is the only one of its list, both neighbours are
 * the list head, which identifies the slot. */
static void unlink_entry(struct wheel *w, struct wheel_entry *e)
{
	struct wheel_entry *next = e->next;

	if (next == e->prev && next != &w->due) {
		size_t slot = (size_t)(next - w->slots);

		w->bitmap[slot / WORD_BITS] &=
			~(UINT64_C(1) << slot % WORD_BITS);
	}
	next->prev = e->prev;
	e->prev->next = next;
	e->next = e->prev = NULL;
}

void wheel_init(struct wheel *w, int64_t now_ms)
{
	assert(now_ms >= 0);
	for (size_t i = 0; i < WHEEL_SLOTS; i++)
		head_init(&w->slots[i]);
	head_init(&w->due);
	memset(w->bitmap, 0, sizeof(w->bitmap));
	w->now_ms = now_ms;
	w->count = 0;
}

bool wheel_entry_linked(const struct wheel_entry *e)
{
	return e->next != NULL;
}

void wheel_del(struct wheel *w, struct wheel_entry *e)
{
	if (!wheel_entry_linked(e))
		return;
	unlink_entry(w, e);
	w->count--;
}

void wheel_add(struct wheel *w, struct wheel_entry *e, int64_t at_ms)
{
	size_t slot = slot_of(w, at_ms);

	wheel_del(w, e);
	e->at_ms = at_ms;
	link_last(&w->slots[slot], e);
	w->bitmap[slot / WORD_BITS] |= UINT64_C(1) << slot % WORD_BITS;
	w->count++;
}

/* Searches the bitmap cyclically.  The first word is searched twice: first the
 * bits from start on, and at the end all of them, for the bits below start. */
static int first_slot_from(const struct wheel *w, size_t start, size_t *slot)
{
	uint64_t mask = ~UINT64_C(0) << start % WORD_BITS;

	for (size_t i = 0; i <= WORDS; i++) {
		size_t at = (start / WORD_BITS + i) % WORDS;
		uint64_t word = w->bitmap[at] & mask;

		if (word) {
			*slot = at * WORD_BITS + (size_t)__builtin_ctzll(word);
			return 0;
		}
		mask = ~UINT64_C(0);
	}
	return -1;
}

int64_t wheel_next_ms(const struct wheel *w)
{
	int64_t tick = w->now_ms / WHEEL_SLOT_MS;
	size_t start = (size_t)(tick % WHEEL_SLOTS), slot;

	if (first_slot_from(w, start, &slot))
		return -1;
	tick += (int64_t)((slot + WHEEL_SLOTS - start) % WHEEL_SLOTS);
	return (tick + 1) * WHEEL_SLOT_MS;
}

static void collect(struct wheel *w, struct wheel_entry *head)
{
	struct wheel_entry *e, *next;

	for (e = head->next; e != head; e = next) {
		next = e->next;
		if (e->at_ms > w->now_ms)
			continue;
		unlink_entry(w, e);
		link_last(&w->due, e);
	}
}

void wheel_advance(struct wheel *w, int64_t now_ms,
	void (*due)(struct wheel_entry *e, void *arg), void *arg)
{
	int64_t tick = w->now_ms / WHEEL_SLOT_MS, ticks;

	assert(w->due.next == &w->due);
	if (now_ms > w->now_ms)
		w->now_ms = now_ms;
	/* Includes the slot of the last call, since some of its entries may not
	 * have been due then. */
	ticks = w->now_ms / WHEEL_SLOT_MS - tick + 1;
	if (ticks > WHEEL_SLOTS)
		ticks = WHEEL_SLOTS;
	for (; ticks > 0; ticks--, tick++)
		collect(w, &w->slots[tick % WHEEL_SLOTS]);
	/* Callbacks are called only now, since they may change the slots' lists
	 * that are traversed above.  This loop reads due.next anew each time.
	 */
	while (w->due.next != &w->due) {
		struct wheel_entry *e = w->due.next;

		wheel_del(w, e);
		due(e, arg);
	}
}

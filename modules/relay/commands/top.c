/* SPDX-License-Identifier: MPL-2.0 */

/* The command top: a screen of the busiest sessions and devices. */

#include <stdlib.h>
#include <string.h>

#include "relay/commands/follow.h"
#include "relay/commands/gather.h"

#define REFRESH_MS 2000
/* Rows of each table, so that both fit on a terminal of 24 lines. */
#define ROWS 8
/* Two groups of an ID: enough to tell devices apart, and for other commands. */
#define SHORT_ID 15

static const struct relay_column sums[] = {{"uptime", RELAY_COLUMN_MS},
	{"devices", RELAY_COLUMN_COUNT}, {"sessions", RELAY_COLUMN_COUNT},
	{"rate", RELAY_COLUMN_RATE}};
static const struct relay_column session_columns[] = {
	{"session", RELAY_COLUMN_TEXT}, {"device", RELAY_COLUMN_TEXT},
	{"other device", RELAY_COLUMN_TEXT}, {"bytes", RELAY_COLUMN_BYTES},
	{"rate", RELAY_COLUMN_RATE}, {"age", RELAY_COLUMN_MS}};
static const struct relay_column device_columns[] = {
	{"device", RELAY_COLUMN_TEXT}, {"address", RELAY_COLUMN_TEXT},
	{"sessions", RELAY_COLUMN_COUNT}, {"bytes", RELAY_COLUMN_BYTES},
	{"rate", RELAY_COLUMN_RATE}, {"idle", RELAY_COLUMN_MS}};

#define COLUMNS(table) (sizeof(table) / sizeof((table)[0]))

static int order(int64_t rate, int64_t other_rate, int64_t bytes, int64_t other)
{
	if (rate != other_rate)
		return rate < other_rate ? 1 : -1;
	return (bytes < other) - (bytes > other);
}

static int devices_busy(const void *x, const void *y)
{
	const struct device_row *a = x, *b = y;

	return order(a->rate, b->rate, a->bytes, b->bytes);
}

static int sessions_busy(const void *x, const void *y)
{
	const struct session_row *a = x, *b = y;

	return order(a->rate, b->rate, a->bytes[0] + a->bytes[1],
		b->bytes[0] + b->bytes[1]);
}

static void show_id(struct relay_answer *to, const uint8_t *id)
{
	char text[RELAY_DEVICE_ID_TEXT];

	relay_device_id_format(id, text);
	text[SHORT_ID] = '\0';
	to->text(to, text);
}

/* Not every protocol has devices. */
static void show_side(
	struct relay_answer *to, const struct session_row *row, int side)
{
	if (row->known[side])
		show_id(to, row->id[side]);
	else
		to->text(to, row->address[side]);
}

static void show_sums(struct relay_answer *to, const struct listing *listing)
{
	int64_t rate = 0;

	for (size_t i = 0; i < listing->session_count; i++)
		rate += listing->sessions[i].rate;
	to->table(to, "top", sums, COLUMNS(sums));
	to->number(to, relay_uptime_ms());
	to->number(to, (int64_t)listing->device_count);
	to->number(to, (int64_t)listing->session_count);
	to->number(to, rate);
}

static void show_sessions(
	struct relay_answer *to, const struct listing *listing)
{
	char number[SESSION_TEXT];

	to->table(to, "sessions", session_columns, COLUMNS(session_columns));
	for (size_t i = 0; i < listing->session_count && i < ROWS; i++) {
		const struct session_row *row = &listing->sessions[i];

		session_text(row, number);
		to->text(to, number);
		show_side(to, row, 0);
		show_side(to, row, 1);
		to->number(to, row->bytes[0] + row->bytes[1]);
		to->number(to, row->rate);
		to->number(to, row->age_ms);
	}
}

static void show_devices(struct relay_answer *to, const struct listing *listing)
{
	to->table(to, "devices", device_columns, COLUMNS(device_columns));
	for (size_t i = 0; i < listing->device_count && i < ROWS; i++) {
		const struct device_row *row = &listing->devices[i];

		show_id(to, row->id);
		to->text(to, row->address);
		to->number(to, row->sessions);
		to->number(to, row->bytes);
		to->number(to, row->rate);
		to->number(to, row->idle_ms);
	}
}

enum relay_step top(struct relay_ctx *cx, struct relay_answer *to)
{
	struct gather *state = to->state;
	struct listing *listing = &state->listing;
	enum gathered gathered;

	if (to->count) {
		to->fail(to, RELAY_COMMAND_USAGE, "usage: top");
		return RELAY_STEP_OVER;
	}
	gathered = gather(cx, to);
	if (gathered != GATHERED_ALL)
		return gathered == GATHERED_LATER ? RELAY_STEP_WAIT
						  : RELAY_STEP_OVER;
	qsort(listing->sessions, listing->session_count,
		sizeof(*listing->sessions), sessions_busy);
	qsort(listing->devices, listing->device_count,
		sizeof(*listing->devices), devices_busy);
	show_sums(to, listing);
	show_sessions(to, listing);
	show_devices(to, listing);
	to->screen(to);
	/* The next one begins a new list. */
	gather_closed(cx, to);
	to->wait_ms = REFRESH_MS;
	return RELAY_STEP_WAIT;
}

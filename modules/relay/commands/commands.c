/* SPDX-License-Identifier: MPL-2.0 */

/* Commands that list devices and sessions. */

#include <stdlib.h>
#include <string.h>

#include "relay/commands/commands.h"
#include "relay/commands/gather.h"

/* Rows in one step. */
#define PART 100

struct list_state {
	struct gather gather; /* first */
	size_t shown;
	bool sorted;
};

static const struct relay_column device_columns[] = {
	{"device", RELAY_COLUMN_TEXT}, {"address", RELAY_COLUMN_TEXT},
	{"worker", RELAY_COLUMN_COUNT}, {"age", RELAY_COLUMN_MS},
	{"idle", RELAY_COLUMN_MS}, {"sessions", RELAY_COLUMN_COUNT},
	{"bytes", RELAY_COLUMN_BYTES}, {"rate", RELAY_COLUMN_RATE}};

static const struct relay_column session_columns[] = {
	{"session", RELAY_COLUMN_TEXT}, {"device", RELAY_COLUMN_TEXT},
	{"address", RELAY_COLUMN_TEXT}, {"sent", RELAY_COLUMN_BYTES},
	{"other device", RELAY_COLUMN_TEXT},
	{"other address", RELAY_COLUMN_TEXT},
	{"other sent", RELAY_COLUMN_BYTES}, {"age", RELAY_COLUMN_MS},
	{"idle", RELAY_COLUMN_MS}, {"rate", RELAY_COLUMN_RATE},
	{"protocol", RELAY_COLUMN_TEXT}};

#define COLUMNS(table) (sizeof(table) / sizeof((table)[0]))

static void show_id(struct relay_answer *to, const uint8_t *id)
{
	char text[RELAY_DEVICE_ID_TEXT];

	relay_device_id_format(id, text);
	to->text(to, text);
}

static void show_device(struct relay_answer *to, const struct device_row *row)
{
	show_id(to, row->id);
	to->text(to, row->address);
	to->number(to, row->worker);
	to->number(to, row->age_ms);
	to->number(to, row->idle_ms);
	to->number(to, row->sessions);
	to->number(to, row->bytes);
	to->number(to, row->rate);
}

static void show_session(struct relay_answer *to, const struct session_row *row)
{
	char number[SESSION_TEXT];

	session_text(row, number);
	to->text(to, number);
	for (int side = 0; side < 2; side++) {
		if (row->known[side])
			show_id(to, row->id[side]);
		else
			to->none(to);
		to->text(to, row->address[side]);
		to->number(to, row->bytes[side]);
	}
	to->number(to, row->age_ms);
	to->number(to, row->idle_ms);
	to->number(to, row->rate);
	to->text(to, row->protocol);
}

/* Orders: the greatest first. */

static int descending(int64_t a, int64_t b)
{
	return (a < b) - (a > b);
}

#define ORDER(name, type, value)                                               \
	static int name(const void *x, const void *y)                          \
	{                                                                      \
		const struct type *a = x, *b = y;                              \
		return descending(a->value, b->value);                         \
	}
ORDER(devices_by_bytes, device_row, bytes)
ORDER(devices_by_rate, device_row, rate)
ORDER(devices_by_age, device_row, age_ms)
ORDER(devices_by_idle, device_row, idle_ms)
ORDER(sessions_by_rate, session_row, rate)
ORDER(sessions_by_age, session_row, age_ms)
ORDER(sessions_by_idle, session_row, idle_ms)

static int sessions_by_bytes(const void *x, const void *y)
{
	const struct session_row *a = x, *b = y;

	return descending(a->bytes[0] + a->bytes[1], b->bytes[0] + b->bytes[1]);
}

struct order {
	const char *word;
	int (*compare)(const void *, const void *);
};

static const struct order device_orders[] = {{"bytes", devices_by_bytes},
	{"rate", devices_by_rate}, {"age", devices_by_age},
	{"idle", devices_by_idle}, {NULL, NULL}};
static const struct order session_orders[] = {{"bytes", sessions_by_bytes},
	{"rate", sessions_by_rate}, {"age", sessions_by_age},
	{"idle", sessions_by_idle}, {NULL, NULL}};

/* The order that "by WORD" names, or the first word's place `none`; NULL: the
 * words are wrong. */
static const struct order *order_of(const struct relay_answer *to,
	const struct order *orders, const struct order *none)
{
	if (to->count == 0)
		return none;
	if (to->count != 2 || strcmp(to->words[0], "by") != 0)
		return NULL;
	while (orders->word && strcmp(orders->word, to->words[1]) != 0)
		orders++;
	return orders->word ? orders : NULL;
}

static enum relay_step usage(struct relay_answer *to, const char *text)
{
	to->fail(to, RELAY_COMMAND_USAGE, "usage: %s", text);
	return RELAY_STEP_OVER;
}

static enum relay_step devices(struct relay_ctx *cx, struct relay_answer *to)
{
	static const struct order by_id = {"", NULL};
	struct list_state *state = to->state;
	struct listing *listing = &state->gather.listing;
	const struct order *order = order_of(to, device_orders, &by_id);
	enum gathered gathered;

	if (!order)
		return usage(to, "devices [by bytes|rate|age|idle]");
	gathered = state->sorted ? GATHERED_ALL : gather(cx, to);
	if (gathered != GATHERED_ALL)
		return gathered == GATHERED_LATER ? RELAY_STEP_WAIT
						  : RELAY_STEP_OVER;
	if (!state->sorted) {
		if (order->compare)
			qsort(listing->devices, listing->device_count,
				sizeof(*listing->devices), order->compare);
		to->table(
			to, "devices", device_columns, COLUMNS(device_columns));
		state->sorted = true;
	}
	for (int i = 0; i < PART && state->shown < listing->device_count; i++)
		show_device(to, &listing->devices[state->shown++]);
	return state->shown < listing->device_count ? RELAY_STEP_AGAIN
						    : RELAY_STEP_OVER;
}

static enum relay_step sessions(struct relay_ctx *cx, struct relay_answer *to)
{
	struct list_state *state = to->state;
	struct listing *listing = &state->gather.listing;
	const struct order *order =
		order_of(to, session_orders, &session_orders[2]);
	enum gathered gathered;

	if (!order)
		return usage(to, "sessions [by bytes|rate|age|idle]");
	gathered = state->sorted ? GATHERED_ALL : gather(cx, to);
	if (gathered != GATHERED_ALL)
		return gathered == GATHERED_LATER ? RELAY_STEP_WAIT
						  : RELAY_STEP_OVER;
	if (!state->sorted) {
		qsort(listing->sessions, listing->session_count,
			sizeof(*listing->sessions), order->compare);
		to->table(to, "sessions", session_columns,
			COLUMNS(session_columns));
		state->sorted = true;
	}
	for (int i = 0; i < PART && state->shown < listing->session_count; i++)
		show_session(to, &listing->sessions[state->shown++]);
	return state->shown < listing->session_count ? RELAY_STEP_AGAIN
						     : RELAY_STEP_OVER;
}

/* What `show` shows. */
struct chosen {
	const uint8_t *id;                 /* a device; or NULL */
	const struct session_row *session; /* or NULL */
	const char *address;               /* or NULL; without a port */
};

static bool is_chosen(
	const struct chosen *chosen, const uint8_t *id, const char *address)
{
	size_t len = chosen->address ? strlen(chosen->address) : 0;

	if (chosen->id)
		return memcmp(chosen->id, id, ID_LEN) == 0;
	if (!len)
		return false;
	address += *address == '[';
	return strncmp(address, chosen->address, len) == 0 &&
	       (address[len] == ']' ||
		       (address[len] == ':' && !strchr(chosen->address, ':')));
}

/* A device has at most some hundred sessions (bounds).  The number of rows. */
static size_t show_chosen(struct relay_answer *to,
	const struct listing *listing, const struct chosen *chosen)
{
	size_t devices = 0, sessions = 0;

	for (size_t i = 0; i < listing->device_count; i++) {
		const struct device_row *row = &listing->devices[i];

		if (!is_chosen(chosen, row->id, row->address))
			continue;
		if (devices++ == 0)
			to->table(to, "devices", device_columns,
				COLUMNS(device_columns));
		show_device(to, row);
	}
	for (size_t i = 0; i < listing->session_count; i++) {
		const struct session_row *row = &listing->sessions[i];

		if (row != chosen->session &&
			!is_chosen(chosen, row->id[0], row->address[0]) &&
			!is_chosen(chosen, row->id[1], row->address[1]))
			continue;
		if (sessions++ == 0)
			to->table(to, "sessions", session_columns,
				COLUMNS(session_columns));
		show_session(to, row);
	}
	return devices + sessions;
}

static void show_word(struct relay_answer *to, const struct listing *listing,
	const char *word)
{
	struct chosen chosen = {.session = gather_session(listing, word)};
	char address[INET6_ADDRSTRLEN];
	struct relay_err err;

	if (!chosen.session && gather_address(word, address))
		chosen.address = address;
	else if (!chosen.session)
		chosen.id = gather_device(listing, word, &err);
	if (!chosen.session && !chosen.address && !chosen.id)
		to->fail(to, RELAY_COMMAND_FAILED, "%s", err.text);
	else if (show_chosen(to, listing, &chosen) == 0)
		to->fail(to, RELAY_COMMAND_FAILED,
			"no device and no session is here from %.60s", word);
}

static enum relay_step show(struct relay_ctx *cx, struct relay_answer *to)
{
	const struct gather *state = to->state;
	enum gathered gathered;

	if (to->count != 1)
		return usage(to, "show ID|SESSION|ADDRESS");
	gathered = gather(cx, to);
	if (gathered == GATHERED_LATER)
		return RELAY_STEP_WAIT;
	if (gathered == GATHERED_ALL)
		show_word(to, &state->listing, to->words[0]);
	return RELAY_STEP_OVER;
}

const struct relay_command_def list_commands[] = {
	{.name = "devices",
		.words = "[by bytes|rate|age|idle]",
		.help = "devices that have joined, with addresses; bytes and "
			"rate are of their sessions",
		.state_size = sizeof(struct list_state),
		.run = devices,
		.closed = gather_closed},
	{.name = "sessions",
		.words = "[by bytes|rate|age|idle]",
		.help = "sessions of all protocols, with both devices; the "
			"rate is since they were last listed",
		.state_size = sizeof(struct list_state),
		.run = sessions,
		.closed = gather_closed},
	{.name = "show",
		.words = "ID|SESSION|ADDRESS",
		.help = "a device and its sessions, one session, or all from "
			"an address; the beginning of an ID will do",
		.state_size = sizeof(struct gather),
		.run = show,
		.closed = gather_closed},
	{.name = NULL},
};

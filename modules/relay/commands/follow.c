/* SPDX-License-Identifier: MPL-2.0 */

/* The command follow: what happens, until the client leaves. */

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "relay/commands/follow.h"
#include "relay/commands/gather.h"
#include "relay/events.h"
#include "relay/metrics_table.h"
#include "shared/id_begins.h"

/* Events that wait for a client which reads slowly. */
#define FOLLOW_RING 256
/* Rows in one step. */
#define PART 64

struct follow {
	struct follower follower; /* first */
	struct relay_ctx *cx;
	struct relay_answer *to;
	bool begun;
	const char *device, *address; /* words of the call; NULL: all */
	char host[INET6_ADDRSTRLEN];  /* the address as events have it */
	uint64_t lost;
	unsigned first, count; /* of the ring */
	struct event ring[FOLLOW_RING];
};

static const struct relay_column columns[] = {{"time", RELAY_COLUMN_TEXT},
	{"event", RELAY_COLUMN_TEXT}, {"reason", RELAY_COLUMN_TEXT},
	{"device", RELAY_COLUMN_TEXT}, {"address", RELAY_COLUMN_TEXT},
	{"session", RELAY_COLUMN_TEXT}, {"sent", RELAY_COLUMN_BYTES},
	{"other device", RELAY_COLUMN_TEXT},
	{"other address", RELAY_COLUMN_TEXT},
	{"other sent", RELAY_COLUMN_BYTES}};

/* With its port, or without. */
static bool is_address(const char *full, const char *wanted)
{
	const char *port = strrchr(full, ':');
	size_t len = port ? (size_t)(port - full) : strlen(full);

	if (strcmp(full, wanted) == 0)
		return true;
	if (full[0] == '[' && len >= 2) {
		full++;
		len -= 2;
	}
	return strlen(wanted) == len && strncmp(full, wanted, len) == 0;
}

static bool is_wanted(const struct follow *follow, const struct event *event)
{
	if (!follow->device && !follow->address)
		return true;
	for (int side = 0; side < 2; side++) {
		if (follow->device && event->has_id[side] &&
			id_begins(event->id[side], follow->device))
			return true;
		if (follow->address && event->address[side][0] &&
			is_address(event->address[side], follow->address))
			return true;
	}
	return false;
}

static void on_event(struct follower *follower, const struct event *event)
{
	struct follow *follow = (struct follow *)follower;

	follow->lost += event->lost;
	if (!is_wanted(follow, event))
		return;
	if (follow->count == FOLLOW_RING) {
		follow->lost++;
		count(follow->cx, METRIC_EVENTS_LOST, 0);
		return;
	}
	follow->ring[(follow->first + follow->count++) % FOLLOW_RING] = *event;
	follow->to->wake(follow->to);
}

static void show_time(struct relay_answer *to, int64_t wall_us)
{
	time_t seconds = (time_t)(wall_us / 1000000);
	char text[80] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		(void)snprintf(text, sizeof(text),
			"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
			tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
			tm.tm_hour, tm.tm_min, tm.tm_sec,
			(int)(wall_us / 1000 % 1000));
	to->text(to, text);
}

static void show_text(struct relay_answer *to, const char *text)
{
	if (text[0])
		to->text(to, text);
	else
		to->none(to);
}

static void show_side(
	struct relay_answer *to, const struct event *event, int side)
{
	char id[RELAY_DEVICE_ID_TEXT] = "";

	if (event->has_id[side])
		relay_device_id_format(event->id[side], id);
	show_text(to, id);
	show_text(to, event->address[side]);
}

static void show_bytes(
	struct relay_answer *to, const struct event *event, int side)
{
	if (event->is_session)
		to->number(to, event->bytes[side]);
	else
		to->none(to);
}

static void show_event(struct relay_answer *to, const struct event *event)
{
	const struct session_row row = {
		.worker = event->worker, .session = event->session};
	char number[SESSION_TEXT] = "";

	if (event->is_session)
		session_text(&row, number);
	show_time(to, event->wall_us);
	to->text(to, event->what);
	show_text(to, event->detail);
	show_side(to, event, 0);
	show_text(to, number);
	show_bytes(to, event, 0);
	show_side(to, event, 1);
	show_bytes(to, event, 1);
}

/* With a port, it is compared as it was written. */
static bool take_address(struct follow *follow, const char *word)
{
	const char *port = strrchr(word, ':');
	size_t len = port ? (size_t)(port - word) : 0;
	char host[INET6_ADDRSTRLEN + 2], none[INET6_ADDRSTRLEN];

	follow->address = word;
	if (gather_address(word, follow->host)) {
		follow->address = follow->host;
		return true;
	}
	if (len >= 2 && word[0] == '[' && word[len - 1] == ']') {
		word++;
		len -= 2;
	}
	if (!len || len >= sizeof(host))
		return false;
	memcpy(host, word, len);
	host[len] = '\0';
	return gather_address(host, none);
}

/* What is wrong with the word of the call; NULL: nothing. */
static const char *take_word(
	struct follow *follow, const char *kind, const char *word)
{
	if (strcmp(kind, "address") == 0)
		return take_address(follow, word) ? NULL : "is no IP address";
	follow->device = word;
	return id_can_begin(word) ? NULL
				  : "cannot begin a device ID: " ID_WORDS;
}

static enum relay_step begin(
	struct relay_ctx *cx, struct follow *follow, struct relay_answer *to)
{
	bool device = to->count == 2 && strcmp(to->words[0], "device") == 0;
	bool address = to->count == 2 && strcmp(to->words[0], "address") == 0;
	const char *wrong = NULL;

	if (to->count != 0 && !device && !address) {
		to->fail(to, RELAY_COMMAND_USAGE,
			"usage: follow [device ID|address A]");
		return RELAY_STEP_OVER;
	}
	if (to->count == 2)
		wrong = take_word(follow, to->words[0], to->words[1]);
	if (wrong) {
		to->fail(to, RELAY_COMMAND_USAGE, "\"%.60s\" %s", to->words[1],
			wrong);
		return RELAY_STEP_OVER;
	}
	follow->cx = cx;
	follow->to = to;
	follow->follower.event = on_event;
	follow->begun = events_follow(cx, &follow->follower);
	if (follow->begun)
		return RELAY_STEP_WAIT;
	to->fail(to, RELAY_COMMAND_FAILED,
		"%d clients follow already: end one of them", FOLLOWERS_MAX);
	return RELAY_STEP_OVER;
}

static enum relay_step follow(struct relay_ctx *cx, struct relay_answer *to)
{
	struct follow *state = to->state;

	if (!state->begun)
		return begin(cx, state, to);
	if (!state->count && !state->lost)
		return RELAY_STEP_WAIT;
	if (state->count)
		to->table(to, "events", columns,
			sizeof(columns) / sizeof(columns[0]));
	for (int i = 0; i < PART && state->count; i++) {
		show_event(to, &state->ring[state->first]);
		state->first = (state->first + 1) % FOLLOW_RING;
		state->count--;
	}
	if (state->lost && !state->count) {
		to->say(to, "%llu events were lost: there were too many",
			(unsigned long long)state->lost);
		state->lost = 0;
	}
	to->show(to);
	return state->count ? RELAY_STEP_AGAIN : RELAY_STEP_WAIT;
}

static void closed(struct relay_ctx *cx, struct relay_answer *to)
{
	struct follow *state = to->state;

	if (state->begun)
		events_unfollow(cx, &state->follower);
	state->begun = false;
}

const struct relay_command_def watch_commands[] = {
	{.name = "follow",
		.words = "[device ID|address A]",
		.help = "what happens from now on, of all or of one, until you "
			"interrupt it",
		.state_size = sizeof(struct follow),
		.run = follow,
		.closed = closed},
	{.name = "top",
		.help = "the busiest sessions and devices, again and again; "
			"without a terminal once",
		.state_size = sizeof(struct gather),
		.run = top,
		.closed = gather_closed},
	{.name = NULL},
};

/* SPDX-License-Identifier: MPL-2.0 */

/* The commands tokens and revoke. */

#include <strelaysrv/module.h>

#include "accounts.h"
#include "nodes.h"
#include "presence.h"
#include "relay/devices_service.h"
#include "token_commands.h"

/* Rows or devices in one step. */
#define PART 64

/* tokens */

static const struct relay_column columns[] = {
	{"name", RELAY_COLUMN_TEXT},
	{"devices", RELAY_COLUMN_COUNT},
	{"relayed", RELAY_COLUMN_BYTES},
	{"month by quota", RELAY_COLUMN_BYTES},
	{"quota", RELAY_COLUMN_BYTES},
	{"rate", RELAY_COLUMN_RATE},
	{"weight", RELAY_COLUMN_COUNT},
	{"ends in", RELAY_COLUMN_MS},
	{"state", RELAY_COLUMN_TEXT},
};

struct list {
	size_t shown;
	bool begun;
};

static void number_or_none(struct relay_answer *to, int64_t number, bool is)
{
	if (is)
		to->number(to, number);
	else
		to->none(to);
}

static void show_row(struct relay_answer *to, const struct account_row *row)
{
	int64_t ends_ms = row->terms.expires_s * 1000 - relay_wall_us() / 1000;

	to->text(to, row->name);
	to->number(to, row->devices);
	to->number(to, row->bytes);
	number_or_none(to, row->month, row->month >= 0);
	number_or_none(to, row->terms.quota, row->terms.quota > 0);
	number_or_none(to, row->terms.rate, row->terms.rate > 0);
	number_or_none(to, row->terms.weight, row->terms.weight > 0);
	number_or_none(to, ends_ms > 0 ? ends_ms : 0, row->terms.expires_s > 0);
	to->text(to, row->state);
}

/* A list that changes meanwhile may show a name twice, or not at all. */
static enum relay_step tokens(struct relay_ctx *cx, struct relay_answer *to)
{
	struct list *list = to->state;
	struct account_row row;

	if (to->count) {
		to->fail(to, RELAY_COMMAND_USAGE, "usage: tokens");
		return RELAY_STEP_OVER;
	}
	if (!list->begun)
		to->table(to, "tokens", columns,
			sizeof(columns) / sizeof(columns[0]));
	list->begun = true;
	for (int i = 0; i < PART; i++) {
		if (!accounts_row(cx, list->shown, &row))
			return RELAY_STEP_OVER;
		list->shown++;
		show_row(to, &row);
	}
	return RELAY_STEP_AGAIN;
}

/* revoke */

struct revoking {
	unsigned ended;
	bool begun;
};

static enum relay_step revoke(struct relay_ctx *cx, struct relay_answer *to)
{
	struct revoking *revoking = to->state;
	uint8_t ids[PART][RELAY_DEVICE_ID_LEN];
	const struct relay_devices_service *here;
	struct relay_ctx *self;
	const char *others;
	size_t count;

	if (to->count != 1) {
		to->fail(to, RELAY_COMMAND_USAGE, "usage: revoke NAME");
		return RELAY_STEP_OVER;
	}
	if (!revoking->begun && !accounts_revoke(cx, to->words[0])) {
		to->fail(to, RELAY_COMMAND_FAILED, "no token has this name");
		return RELAY_STEP_OVER;
	}
	revoking->begun = true;
	here = relay_service_find(cx, RELAY_DEVICES_SERVICE,
		RELAY_DEVICES_SERVICE_VERSION, &self);
	count = here ? presence_evict(cx, to->words[0], ids, PART) : 0;
	for (size_t i = 0; i < count; i++)
		revoking->ended += here->end(self, ids[i]);
	if (count)
		return RELAY_STEP_AGAIN;
	to->say(to,
		"the token of %s is refused until the next reload, so remove "
		"its line, too; %u of its connections and sessions are ended",
		to->words[0], revoking->ended);
	others = nodes_revoke(cx, to->words[0]);
	if (others)
		to->say(to, "%s", others);
	return RELAY_STEP_OVER;
}

const struct relay_command_def token_commands[] = {
	{.name = "tokens",
		.help = "named tokens: their devices, what these have used, "
			"and what they may use",
		.state_size = sizeof(struct list),
		.run = tokens},
	{.name = "revoke",
		.words = "NAME",
		.help = "end what the devices of a named token have here, and "
			"refuse it",
		.flags = RELAY_COMMAND_CHANGES,
		.state_size = sizeof(struct revoking),
		.run = revoke},
	{.name = NULL},
};

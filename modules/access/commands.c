/* SPDX-License-Identifier: MPL-2.0 */

/* The commands ban, unban and bans. */

#include <string.h>

#include <strelaysrv/units.h>

#include "commands.h"
#include "data.h"
#include "nodes.h"
#include "relay/devices_service.h"

/* How often to look whether the file is written, and for how long. */
#define LOOK_MS     50
#define PATIENCE_MS 15000
#define NS_PER_S    INT64_C(1000000000)
/* Rows in one step. */
#define PART 100

struct change {
	bool made;
	uint64_t number; /* of the change */
	int64_t began_ms;
};

static const struct relay_devices_service *devices(
	struct relay_ctx *cx, struct relay_ctx **self)
{
	return relay_service_find(
		cx, RELAY_DEVICES_SERVICE, RELAY_DEVICES_SERVICE_VERSION, self);
}

/* A whole ID, or the beginning of one that is here. */
static int read_id(struct relay_ctx *cx, const char *word,
	uint8_t id[RELAY_DEVICE_ID_LEN], struct relay_err *err)
{
	struct relay_ctx *self;
	const struct relay_devices_service *here = devices(cx, &self);

	if (relay_device_id_parse(word, id, err) == 0)
		return 0;
	return here ? here->find(self, word, id, err) : -1;
}

static int read_end(const struct relay_answer *to, int64_t *until_s)
{
	struct relay_err err;
	int64_t ns;

	*until_s = 0;
	if (to->count == 1)
		return 0;
	if (to->count != 3 || strcmp(to->words[1], "for") != 0 ||
		relay_duration_parse(to->words[2], &ns, &err) != 0 ||
		ns < NS_PER_S)
		return -1;
	*until_s = relay_wall_us() / 1000000 + ns / NS_PER_S;
	return 0;
}

static const char not_kept[] =
	"no file keeps bans: they last until the server ends, see the option "
	"bans of the module access";

/* Waits until the change is on the disk. */
static enum relay_step save(struct relay_ctx *cx, struct relay_answer *to)
{
	const struct banned *banned = &((struct data *)cx->data)->banned;
	const struct conf *conf = cx->conf;
	struct change *change = to->state;
	struct relay_err err = {.text = "it does not answer"};

	if (!conf->bans[0] || banned->saved >= change->number)
		return RELAY_STEP_OVER;
	if (banned->failed >= change->number) {
		to->fail(to, RELAY_COMMAND_FAILED,
			"it is in force, but lost if the server ends: %s",
			banned->why.text);
		return RELAY_STEP_OVER;
	}
	(void)banned_save(cx, &err);
	if (relay_now_ms(cx) - change->began_ms > PATIENCE_MS) {
		to->fail(to, RELAY_COMMAND_FAILED,
			"it is in force, but not saved yet: %s: %s", conf->bans,
			err.text);
		return RELAY_STEP_OVER;
	}
	to->wait_ms = LOOK_MS;
	return RELAY_STEP_WAIT;
}

static void say(struct relay_answer *to, const char *text)
{
	if (text)
		to->say(to, "%s", text);
}

static enum relay_step made(struct relay_ctx *cx, struct relay_answer *to)
{
	struct change *change = to->state;

	change->made = true;
	change->number = ((struct data *)cx->data)->banned.changes;
	change->began_ms = relay_now_ms(cx);
	return save(cx, to);
}

static enum relay_step ban(struct relay_ctx *cx, struct relay_answer *to)
{
	struct change *change = to->state;
	const struct relay_devices_service *here;
	char text[RELAY_DEVICE_ID_TEXT];
	struct relay_ctx *self;
	struct relay_err err;
	struct ban ban = {.made_here = true};

	if (change->made)
		return save(cx, to);
	if (to->count == 0 || read_end(to, &ban.until_s) != 0) {
		to->fail(to, RELAY_COMMAND_USAGE,
			"usage: ban ID [for TIME], such as 90m or 24h");
		return RELAY_STEP_OVER;
	}
	if (read_id(cx, to->words[0], ban.id, &err) != 0 ||
		banned_add(cx, &ban, &err) != 0) {
		to->fail(to, RELAY_COMMAND_FAILED, "%s", err.text);
		return RELAY_STEP_OVER;
	}
	here = devices(cx, &self);
	relay_device_id_format(ban.id, text);
	to->say(to,
		"%s is banned%s%s; %u of its connections and sessions are "
		"ended",
		text, to->count > 1 ? " for " : "",
		to->count > 1 ? to->words[2] : "",
		here ? here->end(self, ban.id) : 0);
	say(to, nodes_ban(cx, &ban));
	if (!((const struct conf *)cx->conf)->bans[0])
		say(to, not_kept);
	return made(cx, to);
}

static enum relay_step unban(struct relay_ctx *cx, struct relay_answer *to)
{
	const struct change *change = to->state;
	uint8_t id[RELAY_DEVICE_ID_LEN];
	char text[RELAY_DEVICE_ID_TEXT];
	struct relay_err err;

	if (change->made)
		return save(cx, to);
	if (to->count != 1) {
		to->fail(to, RELAY_COMMAND_USAGE, "usage: unban ID");
		return RELAY_STEP_OVER;
	}
	if (banned_named(cx, to->words[0], id, &err) != 0) {
		to->fail(to, RELAY_COMMAND_FAILED, "%s", err.text);
		return RELAY_STEP_OVER;
	}
	(void)banned_remove(cx, id);
	relay_device_id_format(id, text);
	to->say(to, "%s is not banned any more", text);
	say(to, nodes_unban(cx, id));
	return made(cx, to);
}

/* bans */

struct list {
	struct bans bans; /* owned */
	size_t shown;
	bool begun;
};

static const struct relay_column columns[] = {
	{"device", RELAY_COLUMN_TEXT}, {"ends in", RELAY_COLUMN_MS}};

static void show_ban(struct relay_answer *to, const struct ban *ban)
{
	char text[RELAY_DEVICE_ID_TEXT];

	relay_device_id_format(ban->id, text);
	to->text(to, text);
	if (ban->until_s)
		to->number(to, ban->until_s * 1000 - relay_wall_us() / 1000);
	else
		to->none(to);
}

static enum relay_step bans(struct relay_ctx *cx, struct relay_answer *to)
{
	const struct conf *conf = cx->conf;
	struct list *list = to->state;

	if (to->count) {
		to->fail(to, RELAY_COMMAND_USAGE, "usage: bans");
		return RELAY_STEP_OVER;
	}
	if (!list->begun && !banned_copy(cx, &list->bans)) {
		to->fail(to, RELAY_COMMAND_FAILED, "out of memory");
		return RELAY_STEP_OVER;
	}
	if (!list->begun)
		to->table(to, "bans", columns,
			sizeof(columns) / sizeof(columns[0]));
	list->begun = true;
	for (int i = 0; i < PART && list->shown < list->bans.count; i++)
		show_ban(to, &list->bans.list[list->shown++]);
	if (list->shown < list->bans.count)
		return RELAY_STEP_AGAIN;
	if (!conf->bans[0])
		to->say(to, "%s", not_kept);
	return RELAY_STEP_OVER;
}

static void bans_closed(struct relay_ctx *cx, struct relay_answer *to)
{
	struct list *list = to->state;

	(void)cx;
	bans_free(&list->bans);
}

const struct relay_command_def ban_commands[] = {
	{.name = "ban",
		.words = "ID [for TIME]",
		.help = "end what a device has here, and refuse it, for ever "
			"or for a time",
		.flags = RELAY_COMMAND_CHANGES,
		.state_size = sizeof(struct change),
		.run = ban},
	{.name = "unban",
		.words = "ID",
		.help = "end a ban",
		.flags = RELAY_COMMAND_CHANGES,
		.state_size = sizeof(struct change),
		.run = unban},
	{.name = "bans",
		.help = "the devices that are banned",
		.state_size = sizeof(struct list),
		.run = bans,
		.closed = bans_closed},
	{.name = NULL},
};

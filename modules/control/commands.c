/* SPDX-License-Identifier: MPL-2.0 */

/* Commands that show something: status, modules, listeners, help. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

static enum relay_step no_words(struct relay_answer *to, const char *name)
{
	to->fail(to, RELAY_COMMAND_USAGE, "usage: %s", name);
	return RELAY_STEP_OVER;
}

/* status */

static const char *state_word(void)
{
	const char *closed = relay_closed();

	if (relay_draining() == RELAY_DRAIN_MOVE)
		return "drains, another process serves";
	if (relay_draining() == RELAY_DRAIN_LEAVE)
		return "drains";
	if (closed)
		return closed;
	return relay_at_limit() ? "is full" : "serves";
}

static const struct relay_column status_columns[] = {
	{"state", RELAY_COLUMN_TEXT},
	{"version", RELAY_COLUMN_TEXT},
	{"process", RELAY_COLUMN_COUNT},
	{"uptime", RELAY_COLUMN_MS},
	{"id", RELAY_COLUMN_TEXT},
	{"listen", RELAY_COLUMN_TEXT},
	{"status-srv", RELAY_COLUMN_TEXT},
	{"workers", RELAY_COLUMN_COUNT},
	{"connections", RELAY_COLUMN_COUNT},
	{"devices", RELAY_COLUMN_COUNT},
	{"sessions", RELAY_COLUMN_COUNT},
	{"traffic", RELAY_COLUMN_BYTES},
	{"memory", RELAY_COLUMN_BYTES},
	{"hanging", RELAY_COLUMN_TEXT},
};
#define STATUS_COLUMNS (sizeof(status_columns) / sizeof(status_columns[0]))

static void metric(struct relay_ctx *cx, struct relay_answer *to,
	const char *module, const char *name)
{
	to->number(to, relay_metric_value(cx, module, name, NULL));
}

/* What other modules add to /status. */
struct part {
	struct relay_status pub; /* first */
	struct relay_ctx *cx;
	struct relay_answer *to;
	const char *module;
	bool begun;
};

static const struct relay_column part_columns[] = {
	{"module", RELAY_COLUMN_TEXT},
	{"member", RELAY_COLUMN_TEXT},
	{"value", RELAY_COLUMN_TEXT},
};

static void part_text(
	struct relay_status *to, const char *key, const char *value)
{
	struct part *part = (struct part *)to;

	if (!part->begun)
		part->to->table(part->to, "parts", part_columns,
			sizeof(part_columns) / sizeof(part_columns[0]));
	part->begun = true;
	part->to->text(part->to, part->module);
	part->to->text(part->to, key);
	if (value[0])
		part->to->text(part->to, value);
	else
		part->to->none(part->to);
}

static void part_number(struct relay_status *to, const char *key, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	part_text(to, key, text);
}

static void show_part(const struct relay_module_info *info, void *arg)
{
	struct part *part = arg;
	const struct relay_status_part *service;
	struct relay_ctx *self;
	char name[128];

	(void)snprintf(name, sizeof(name), "%s" RELAY_STATUS_PART, info->name);
	service =
		relay_service_find(part->cx, name, RELAY_STATUS_VERSION, &self);
	part->module = info->name;
	if (service)
		service->show(self, &part->pub);
}

static const struct relay_column protocol_columns[] = {
	{"protocol", RELAY_COLUMN_TEXT},
	{"sessions", RELAY_COLUMN_COUNT},
	{"traffic of ended ones", RELAY_COLUMN_BYTES},
};

static void show_protocol(const struct relay_module_info *info, void *arg)
{
	struct part *part = arg;
	int64_t sessions = relay_metric_value(
		part->cx, "core", "module_sessions", info->name);
	int64_t traffic = relay_metric_value(
		part->cx, "core", "module_session_traffic", info->name);

	if (sessions == 0 && traffic == 0)
		return;
	if (!part->begun)
		part->to->table(part->to, "protocols", protocol_columns,
			sizeof(protocol_columns) / sizeof(protocol_columns[0]));
	part->begun = true;
	part->to->text(part->to, info->name);
	part->to->number(part->to, sessions);
	part->to->number(part->to, traffic);
}

static enum relay_step status(struct relay_ctx *cx, struct relay_answer *to)
{
	char id[RELAY_DEVICE_ID_TEXT], hanging[400];
	struct part part = {.pub = {.number = part_number, .text = part_text},
		.cx = cx,
		.to = to};

	if (to->count)
		return no_words(to, "status");
	relay_device_id_format(relay_server_id(), id);
	to->list(to, "status", status_columns, STATUS_COLUMNS);
	to->text(to, state_word());
	to->text(to, relay_build()->version);
	to->number(to, getpid());
	to->number(to, relay_uptime_ms());
	to->text(to, id);
	to->text(to, relay_listen_text());
	if (relay_status_text()[0])
		to->text(to, relay_status_text());
	else
		to->none(to);
	to->number(to, relay_worker_count());
	metric(cx, to, "core", "connections");
	metric(cx, to, "relay", "devices");
	metric(cx, to, "core", "sessions");
	metric(cx, to, "core", "session_traffic");
	metric(cx, to, "core", "resident_memory");
	if (relay_hanging(hanging, sizeof(hanging)) > 0)
		to->text(to, hanging);
	else
		to->none(to);
	relay_modules_visit(cx, show_part, &part);
	part.begun = false;
	relay_modules_visit(cx, show_protocol, &part);
	return RELAY_STEP_OVER;
}

/* modules */

static const struct relay_column module_columns[] = {
	{"module", RELAY_COLUMN_TEXT},
	{"version", RELAY_COLUMN_TEXT},
	{"api", RELAY_COLUMN_TEXT},
	{"guard", RELAY_COLUMN_TEXT},
	{"failures", RELAY_COLUMN_COUNT},
	{"slow", RELAY_COLUMN_COUNT},
	{"hung", RELAY_COLUMN_COUNT},
	{"what it does", RELAY_COLUMN_TEXT},
};

static void show_module(const struct relay_module_info *info, void *arg)
{
	struct relay_answer *to = arg;
	char api[16];

	(void)snprintf(
		api, sizeof(api), "%d.%u", RELAY_ABI_MAJOR, info->abi_minor);
	to->text(to, info->name);
	to->text(to, info->version);
	to->text(to, api);
	to->text(to, info->guard ? "yes" : "no");
	to->number(to, info->failures);
	to->number(to, info->slow_calls);
	to->number(to, info->hangs);
	to->text(to, info->summary);
}

static enum relay_step modules(struct relay_ctx *cx, struct relay_answer *to)
{
	if (to->count)
		return no_words(to, "modules");
	to->table(to, "modules", module_columns,
		sizeof(module_columns) / sizeof(module_columns[0]));
	relay_modules_visit(cx, show_module, to);
	return RELAY_STEP_OVER;
}

/* listeners */

static const struct relay_column listener_columns[] = {
	{"listener", RELAY_COLUMN_TEXT},
	{"connections", RELAY_COLUMN_COUNT},
	{"limit", RELAY_COLUMN_COUNT},
	{"accepted", RELAY_COLUMN_COUNT},
	{"full", RELAY_COLUMN_COUNT},
	{"denied", RELAY_COLUMN_COUNT},
	{"no-proxy", RELAY_COLUMN_COUNT},
};

struct listener_rows {
	struct relay_ctx *cx;
	struct relay_answer *to;
};

static int show_listener(const struct relay_sample *sample, void *arg)
{
	static const char *const rest[] = {"listener_accepted",
		"listener_refused_full", "listener_refused_denied",
		"listener_refused_proxy"};
	const struct listener_rows *rows = arg;
	const char *name = sample->value_name;
	int64_t limit;

	if (strcmp(sample->module, "core") != 0 ||
		strcmp(sample->def->name, "listener_connections") != 0)
		return 0;
	limit = relay_metric_value(
		rows->cx, "core", "listener_connection_limit", name);
	rows->to->text(rows->to, name);
	rows->to->number(rows->to, sample->value);
	if (limit)
		rows->to->number(rows->to, limit);
	else
		rows->to->none(rows->to);
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		rows->to->number(rows->to,
			relay_metric_value(rows->cx, "core", rest[i], name));
	return 0;
}

static enum relay_step listeners(struct relay_ctx *cx, struct relay_answer *to)
{
	struct listener_rows rows = {.cx = cx, .to = to};

	if (to->count)
		return no_words(to, "listeners");
	to->table(to, "listeners", listener_columns,
		sizeof(listener_columns) / sizeof(listener_columns[0]));
	(void)relay_metrics_visit(cx, show_listener, &rows);
	return RELAY_STEP_OVER;
}

/* help */

static const struct relay_column help_columns[] = {
	{"command", RELAY_COLUMN_TEXT},
	{"module", RELAY_COLUMN_TEXT},
	{"what it does", RELAY_COLUMN_TEXT},
};

static void show_help(
	const char *module, const struct relay_command_def *def, void *arg)
{
	struct relay_answer *to = arg;
	char usage[300];

	if (to->count && strcmp(to->words[0], def->name) != 0)
		return;
	(void)snprintf(usage, sizeof(usage), "%s%s%s", def->name,
		def->words ? " " : "", def->words ? def->words : "");
	to->text(to, usage);
	to->text(to, module);
	to->text(to, def->help);
}

static enum relay_step help(struct relay_ctx *cx, struct relay_answer *to)
{
	if (to->count > 1)
		return no_words(to, "help [COMMAND]");
	if (to->count && !relay_command_find(cx, to->words[0])) {
		to->fail(to, RELAY_COMMAND_USAGE,
			"no command \"%.100s\"; \"help\" shows all",
			to->words[0]);
		return RELAY_STEP_OVER;
	}
	to->table(to, "commands", help_columns,
		sizeof(help_columns) / sizeof(help_columns[0]));
	relay_commands_visit(cx, show_help, to);
	return RELAY_STEP_OVER;
}

const struct relay_command_def show_commands[] = {
	{.name = "status",
		.help = "what the server does, and how much",
		.run = status},
	{.name = "modules", .help = "the modules that run", .run = modules},
	{.name = "listeners",
		.help = "the addresses that are listened on, by name",
		.run = listeners},
	{.name = "help",
		.words = "[COMMAND]",
		.help = "the commands of this server",
		.run = help},
	{.name = NULL},
};

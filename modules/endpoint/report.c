/* SPDX-License-Identifier: MPL-2.0 */

/* The metrics, and the command endpoint. */

#include <string.h>

#include "endpoint/list.h"
#include "endpoint/own.h"
#include "endpoint/report.h"

static const char *const state_words[] = {
	[FITNESS_UNCHECKED] = "unchecked",
	[FITNESS_ANSWERS] = "answers",
	[FITNESS_FAILS] = "fails",
	NULL,
};

static const char *const result_words[] = {
	[PROBE_ANSWERS] = "answers",
	[PROBE_UNRESOLVED] = "unresolved",
	[PROBE_UNREACHED] = "unreached",
	[PROBE_SILENT] = "silent",
	[PROBE_NO_TLS] = "no-tls",
	[PROBE_NO_RELAY] = "no-relay",
	[PROBE_OTHER_ID] = "other-id",
	[PROBE_NOT_MADE] = "not-made",
	NULL,
};

/* Metrics. */

static int64_t read_relays(struct relay_ctx *cx, unsigned value)
{
	struct other *const *others = state_of(cx)->others;
	int64_t count = 0;

	for (size_t i = 0; i < OTHERS_MOST && others[i]; i++)
		count += others[i]->fitness.state == value;
	return count;
}

static int64_t read_listed(struct relay_ctx *cx, unsigned value)
{
	(void)value;
	return state_of(cx)->list.count;
}

static int64_t read_listed_itself(struct relay_ctx *cx, unsigned value)
{
	(void)value;
	return state_of(cx)->list.own;
}

static const struct relay_metric_def metrics[METRICS] = {
	[METRIC_RELAYS] = {.name = "relays",
		.help = "Other relays of the configuration, by state.",
		.kind = RELAY_GAUGE,
		.label = "state",
		.values = state_words,
		.read = read_relays},
	[METRIC_LISTED] = {.name = "listed",
		.help = "Relays in the list, this one included.",
		.kind = RELAY_GAUGE,
		.read = read_listed},
	[METRIC_LISTED_ITSELF] = {.name = "listed_itself",
		.help = "1: this relay is in the list; 0: it is not.",
		.kind = RELAY_GAUGE,
		.read = read_listed_itself},
	[METRIC_CHECKS] = {.name = "checks",
		.help = "Checks of other relays, by result.",
		.kind = RELAY_COUNTER,
		.label = "result",
		.values = result_words},
};

void report_check(const struct relay_ctx *cx, enum probe_result result)
{
	relay_metric_inc(cx, state_of(cx)->metrics[METRIC_CHECKS], result, 1);
}

/* The command. */

static void row(struct relay_answer *to, const char *relay, const char *state,
	bool listed)
{
	to->text(to, relay);
	to->text(to, state);
	to->text(to, listed ? "yes" : "no");
}

/* Of the own URI, without what follows the place. */
static void own_row(struct relay_ctx *cx, struct relay_answer *to)
{
	char *place;
	struct own own;

	own_look(cx, &own);
	place = own.uri[0] ? own.uri + strlen("relay://") : own.uri;
	place[strcspn(place, "/")] = '\0';
	row(to, place, "this one", own.standing == OWN_LISTED);
	to->none(to);
	to->text(to, own_why(&own));
}

static enum relay_step show(struct relay_ctx *cx, struct relay_answer *to)
{
	static const struct relay_column columns[] = {
		{"relay", RELAY_COLUMN_TEXT}, {"state", RELAY_COLUMN_TEXT},
		{"listed", RELAY_COLUMN_TEXT},
		{"checked before", RELAY_COLUMN_MS},
		{"what is wrong", RELAY_COLUMN_TEXT}};
	const struct state *state = state_of(cx);

	if (to->count) {
		to->fail(to, RELAY_COMMAND_USAGE, "usage: endpoint");
		return RELAY_STEP_OVER;
	}
	to->table(
		to, "endpoint", columns, sizeof(columns) / sizeof(columns[0]));
	own_row(cx, to);
	for (size_t i = 0; i < OTHERS_MOST && state->others[i]; i++) {
		const struct other *other = state->others[i];

		row(to, other->uri.place, state_words[other->fitness.state],
			list_has(&state->list, other));
		if (other->checked_ms)
			to->number(to, relay_now_ms(cx) - other->checked_ms);
		else
			to->none(to);
		to->text(to, other->why.text);
	}
	return RELAY_STEP_OVER;
}

static const struct relay_command_def command = {.name = "endpoint",
	.help = "the relays that /endpoint lists, and what their checks say",
	.run = show};

int report_init(struct relay_ctx *cx, struct relay_err *err)
{
	if (relay_metrics_add(
		    cx, metrics, METRICS, state_of(cx)->metrics, err) != 0)
		return -1;
	if (relay_command_add(cx, &command) != 0)
		return relay_fail(err, "cannot add the command endpoint");
	return 0;
}

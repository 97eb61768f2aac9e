/* SPDX-License-Identifier: MPL-2.0 */

/* my-module - logs regularly what the relay does. */

#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <strelaysrv/module.h>

struct conf {
	int64_t interval;
	const char *title;
};

/* Shared by all threads; in this module only the control thread uses it. */
struct state {
	struct relay_metric *rounds;
	char *head; /* of each line; owned */
	char *next; /* the same, prepared by a reload */
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, interval, int64_t, "interval", RELAY_DURATION,
		"1m", 1000, 0, "time between two rounds"),
	RELAY_OPT(struct conf, title, const char *, "title", RELAY_STRING,
		"now", 0, 60, "how each line begins"),
	RELAY_OPT_END};

static const struct relay_metric_def rounds = {
	.name = "rounds",
	.kind = RELAY_COUNTER,
	.help = "Completed rounds.",
};

/* Returns the delay until its next call; -1 for a failure, which doubles it. */
static int64_t make_round(struct relay_ctx *cx, void *arg)
{
	const struct conf *conf = cx->conf;
	const struct state *state = cx->data;

	(void)arg;
	relay_metric_inc(cx, state->rounds, 0, 1);
	relay_log(cx, RELAY_INFO, "%s%" PRId64 " sessions, %" PRId64 " devices",
		state->head, relay_metric_value(cx, "core", "sessions", NULL),
		relay_metric_value(cx, "relay", "devices", NULL));
	return conf->interval;
}

/* Registers metrics, routes, services. */
static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct state *state = cx->data;

	state->rounds = relay_metric_add(cx, &rounds);
	return state->rounds ? 0 : relay_fail(err, "no metric");
}

/* What an option asks for, and what may fail. */
static char *make_head(const struct conf *conf, struct relay_err *err)
{
	char *head = NULL;

	if (asprintf(&head, "%s: ", conf->title) >= 0)
		return head;
	(void)relay_fail(err, "out of memory");
	return NULL;
}

/* Opens files and sockets, adds timers. */
static int start(struct relay_ctx *cx, struct relay_err *err)
{
	struct state *state = cx->data;

	state->head = make_head(cx->conf, err);
	if (!state->head)
		return -1;
	return relay_timer_add(cx, 1, make_round, NULL)
		       ? 0
		       : relay_fail(err, "out of memory");
}

/* A reload: everything that can fail, while the old options are in force. */
static int reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	struct state *state = cx->data;

	state->next = make_head(conf, err);
	return state->next ? 0 : -1;
}

/* All modules have prepared: the new options are in force. */
static void reload_commit(struct relay_ctx *cx)
{
	struct state *state = cx->data;

	free(state->head);
	state->head = state->next;
	state->next = NULL;
}

/* Or something has failed: the old ones stay. */
static void reload_abandon(struct relay_ctx *cx)
{
	struct state *state = cx->data;

	free(state->next);
	state->next = NULL;
}

static void fini(struct relay_ctx *cx)
{
	free(((struct state *)cx->data)->head);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("my-module", "0.1", "logs what the relay does"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct state),
	.init = init,
	.start = start,
	.fini = fini,
	.hooks =
		{
			.reload_prepare = reload_prepare,
			.reload_commit = reload_commit,
			.reload_abandon = reload_abandon,
		},
};

/* SPDX-License-Identifier: MPL-2.0 */

/* The registry of a cluster in Redis: opens, watches, closes. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/redis/redis_registry.h"
#include "cluster/redis/registry_state.h"

#define PASSWORD_MOST 512

void registry_say(
	struct redis_registry *registry, int level, const char *fmt, ...)
{
	char text[400];
	va_list args;

	if (!registry->log)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	registry->log(registry->arg, level, text);
}

static void main_opened(void *arg)
{
	struct redis_registry *registry = arg;

	registry->stage = STAGE_GREET;
	registry->deadline_us = talk_now_us() + registry->connect_us;
	if (greet_begin(registry) != 0)
		seek_failed(registry, "out of memory");
}

static void main_replied(
	void *arg, const struct asked *asked, const struct resp *reply)
{
	struct redis_registry *registry = arg;

	if (asked->kind < ASKED_ROLE_AGAIN)
		greet_replied(registry, asked, reply);
	else
		answers_take(registry, asked, reply);
}

/* Such as that it has too many clients. */
static void main_pushed(void *arg, const struct resp *reply)
{
	char text[REPLY_TEXT];

	reply_describe(reply, text);
	seek_failed(arg, "it answers what was not asked: %s", text);
}

static void main_lost(void *arg, const char *why)
{
	seek_failed(arg, "%s", why);
}

static const struct talk_calls main_calls = {
	.opened = main_opened,
	.replied = main_replied,
	.pushed = main_pushed,
	.lost = main_lost,
};

void registry_here(struct redis_registry *registry)
{
	const char *run_id = registry->info.run_id;
	bool whole = *run_id && strcmp(run_id, registry->last_run_id) == 0;

	memcpy(registry->last_run_id, run_id, sizeof(registry->last_run_id));
	servers_worked(&registry->servers);
	registry->counts.connects++;
	registry->stage = STAGE_HERE;
	registry->failures = 0;
	registry->said_failed[0] = '\0';
	registry->away_told = registry->slow = registry->heart_waits = false;
	registry->heart_us = talk_now_us();
	registry->calls.back(registry->arg, whole);
}

/* What it has not answered in time is told as unanswered. */
static void become_slow(struct redis_registry *registry, int64_t now_us)
{
	struct relay_err text;
	struct asked_queue *queue = &registry->main.queue;

	registry->slow = registry->away_told = true;
	registry->slow_us = now_us;
	registry->counts.slow++;
	for (size_t i = 0; i < queue->count; i++) {
		struct asked *asked = asked_at(queue, i);

		if (!asked->given_up && asked->kind != ASKED_ROLE_AGAIN)
			answers_take(registry, asked, NULL);
		asked->given_up = true;
	}
	relay_fail(&text, "%s: it has not answered for %" PRId64 " ms",
		registry->server_text, registry->answer_us / 1000);
	registry->calls.away(registry->arg, text.text);
}

/* Everything that was asked has been answered meanwhile. */
static void become_quick(struct redis_registry *registry)
{
	registry->slow = registry->away_told = false;
	registry->calls.back(registry->arg, true);
}

static bool is_silent(const struct redis_registry *registry, int64_t now_us)
{
	int64_t dead = 2 * registry->answer_us;

	dead = dead > DEAD_US ? dead : DEAD_US;
	return talk_is_silent(&registry->main, dead, now_us) ||
	       talk_is_silent(&registry->sub, dead, now_us);
}

static void ask_for_life(struct redis_registry *registry, int64_t now_us)
{
	if (now_us - registry->heart_us < HEART_US)
		return;
	registry->heart_us = now_us;
	talk_probed(&registry->main, now_us);
	talk_probed(&registry->sub, now_us);
	subscription_ping(registry);
	if (!registry->heart_waits && requests_role(registry) == 0)
		registry->heart_waits = true;
}

static void watch(struct redis_registry *registry)
{
	int64_t now = talk_now_us();
	const struct asked_queue *queue = &registry->main.queue;

	if (is_silent(registry, now)) {
		seek_failed(registry, "it does not answer any more");
		return;
	}
	standing_timer_set(&registry->timer, TICK_MS);
	ask_for_life(registry, now);
	if (!registry->slow && queue->count &&
		now - asked_at(queue, 0)->sent_us > registry->answer_us)
		become_slow(registry, now);
	else if (registry->slow && now - registry->slow_us >= SLOW_US &&
		 (!queue->count || !asked_at(queue, 0)->given_up))
		become_quick(registry);
}

static void due(void *arg)
{
	struct redis_registry *registry = arg;

	if (registry->stage == STAGE_HERE)
		watch(registry);
	else
		seek_tick(registry);
}

static bool is_set(const char *text)
{
	return text && *text;
}

/* -1: no memory. */
static int copy(const char *text, char **out)
{
	*out = is_set(text) ? strdup(text) : NULL;
	return is_set(text) && !*out ? -1 : 0;
}

static int64_t or_else_us(int64_t ms, int64_t otherwise)
{
	return (ms > 0 ? ms : otherwise) * 1000;
}

int redis_settings_check(
	const struct redis_settings *settings, struct relay_err *err)
{
	struct keys keys;
	struct servers servers;
	struct relay_err why;

	if (keys_init(&keys, settings->name ? settings->name : "", 1, err) != 0)
		return -1;
	if (servers_read(&servers, settings->servers, is_set(settings->master),
		    &why) != 0)
		return relay_fail(err, "servers: %.230s", why.text);
	if (is_set(settings->user) && !is_set(settings->password))
		return relay_fail(err, "a user, but no password");
	if (is_set(settings->password) &&
		strlen(settings->password) > PASSWORD_MOST)
		return relay_fail(err, "the password has more than %d bytes",
			PASSWORD_MOST);
	if (settings->database < 0 || settings->database > INT32_MAX)
		return relay_fail(
			err, "the number of the database is out of range");
	if (is_set(settings->ca_file) && !settings->tls)
		return relay_fail(err, "ca-file: it is for TLS; set tls, too");
	return 0;
}

static int take_settings(struct redis_registry *registry,
	const struct redis_settings *settings, struct relay_err *err)
{
	if (redis_settings_check(settings, err) != 0 ||
		servers_read(&registry->servers, settings->servers,
			is_set(settings->master), err) != 0 ||
		keys_init(&registry->keys, settings->name,
			settings->incarnation, err) != 0)
		return -1;
	keys_put(registry->self, settings->incarnation);
	if (settings->database)
		(void)snprintf(registry->database, sizeof(registry->database),
			"%" PRId64, settings->database);
	registry->connect_us =
		or_else_us(settings->connect_ms, REDIS_CONNECT_MS);
	registry->answer_us = or_else_us(settings->answer_ms, REDIS_ANSWER_MS);
	registry->log = settings->log;
	if (copy(settings->master, &registry->master) != 0 ||
		copy(settings->user, &registry->user) != 0 ||
		copy(settings->password, &registry->password) != 0 ||
		copy(settings->ca_file, &registry->ca_file) != 0)
		return relay_fail(err, "out of memory");
	if (!settings->tls)
		return 0;
	registry->tls = tls_context(registry->ca_file, err);
	return registry->tls ? 0 : -1;
}

struct redis_registry *redis_registry_open(struct event_base *base,
	const struct redis_settings *settings,
	const struct registry_calls *calls, void *arg, struct relay_err *err)
{
	struct redis_registry *registry = calloc(1, sizeof(*registry));

	if (!registry) {
		relay_fail(err, "out of memory");
		return NULL;
	}
	registry->base = base;
	registry->calls = *calls;
	registry->arg = arg;
	talk_init(&registry->main, &main_calls, registry, &registry->counts);
	talk_init(&registry->sub, &subscription_calls, registry,
		&registry->counts);
	if (take_settings(registry, settings, err) != 0) {
		redis_registry_close(registry);
		return NULL;
	}
	if (standing_timer_open(&registry->timer, base, due, registry) != 0) {
		relay_fail(err, "out of memory");
		redis_registry_close(registry);
		return NULL;
	}
	registry->server = servers_next(&registry->servers);
	server_text(&registry->server, registry->server_text);
	seek_begin(registry, 0);
	return registry;
}

void redis_registry_close(struct redis_registry *registry)
{
	if (!registry)
		return;
	wire_flush(&registry->main.wire);
	talk_close(&registry->main);
	talk_close(&registry->sub);
	talk_free(&registry->main);
	talk_free(&registry->sub);
	standing_timer_close(&registry->timer);
	names_close(&registry->names);
	tls_context_free(registry->tls);
	if (registry->password)
		explicit_bzero(registry->password, strlen(registry->password));
	free(registry->password);
	free(registry->ca_file);
	free(registry->user);
	free(registry->master);
	free(registry);
}

void redis_registry_counts(
	const struct redis_registry *registry, struct redis_counts *out)
{
	*out = registry->counts;
	out->waiting = registry->main.queue.count;
}

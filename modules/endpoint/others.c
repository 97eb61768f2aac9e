/* SPDX-License-Identifier: MPL-2.0 */

/* The schedule of checks. */

#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "endpoint/others.h"
#include "endpoint/report.h"
#include "shared/random_number.h"

/* Checks that run at a time. */
#define AT_ONCE 8
/* While a check runs, it is looked at so often.  Checks are few and short, so
 * this costs less than events of their own, which could fail. */
#define STEP_MS 20
#define REST_MS 1000

/* The list. */

static void free_other(struct other *other)
{
	if (!other)
		return;
	probe_finish(&other->probe);
	free(other->text);
	free(other);
}

static struct other *make_other(const char *text, struct relay_err *err)
{
	struct other *other = calloc(1, sizeof(*other));

	if (other)
		other->text = strdup(text);
	if (!other || !other->text)
		(void)relay_fail(err, "out of memory");
	else if (other_uri_parse(text, &other->uri, err) == 0)
		return other;
	free_other(other);
	return NULL;
}

static void free_all(struct other *others[OTHERS_MOST])
{
	for (size_t i = 0; i < OTHERS_MOST; i++) {
		free_other(others[i]);
		others[i] = NULL;
	}
}

int others_prepare(
	struct relay_ctx *cx, const void *values, struct relay_err *err)
{
	struct state *state = state_of(cx);
	const struct conf *conf = values;

	if (conf->relays[0] && !state->tls) {
		state->tls = probe_context();
		if (!state->tls)
			return relay_fail(err, "no memory for TLS");
	}
	for (size_t i = 0; conf->relays[i]; i++) {
		state->next[i] = make_other(conf->relays[i], err);
		if (!state->next[i]) {
			free_all(state->next);
			return -1;
		}
	}
	return 0;
}

/* The one of the same URI that was there before takes its place. */
static void keep(struct state *state, struct other **other)
{
	struct other *newer = *other;

	for (size_t i = 0; i < OTHERS_MOST; i++)
		if (state->others[i] &&
			strcmp(state->others[i]->text, newer->text) == 0) {
			*other = state->others[i];
			state->others[i] = newer;
			/* A second one of the same URI begins anew. */
			newer->text[0] = '\0';
			return;
		}
}

void others_commit(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);

	for (size_t i = 0; i < OTHERS_MOST && state->next[i]; i++)
		keep(state, &state->next[i]);
	free_all(state->others);
	memcpy(state->others, state->next, sizeof(state->others));
	memset(state->next, 0, sizeof(state->next));
	state->version++;
}

void others_abandon(struct relay_ctx *cx)
{
	free_all(state_of(cx)->next);
}

/* Checks. */

static void tell(struct relay_ctx *cx, const struct other *other)
{
	if (other->fitness.state == FITNESS_FAILS)
		relay_log(cx, RELAY_WARNING, "%s is not listed any more: %s",
			other->uri.place, other->why.text);
	else
		relay_log(cx, RELAY_NOTICE, "%s answers, and is listed",
			other->uri.place);
}

static void take(struct relay_ctx *cx, struct other *other)
{
	const struct conf *conf = conf_of(cx);
	const struct probe *probe = &other->probe;
	bool answers = probe->result == PROBE_ANSWERS;

	report_check(cx, probe->result);
	other->checked_ms = relay_now_ms(cx);
	if (answers)
		other->why.text[0] = '\0';
	else
		other->why = probe->why;
	if (probe->result != PROBE_NOT_MADE &&
		fitness_take(&other->fitness, answers, &conf->limits)) {
		state_of(cx)->version++;
		tell(cx, other);
	}
	other->due_ms =
		other->checked_ms + fitness_pause_ms(&other->fitness,
					    conf->interval_ms, random_number());
}

static bool is_busy(const struct other *other)
{
	return other->probe.stage != PROBE_IDLE;
}

/* Whether a check runs then. */
static bool work_on(struct relay_ctx *cx, struct other *other)
{
	if (!is_busy(other))
		probe_begin(&other->probe, &other->uri,
			relay_now_ms(cx) + conf_of(cx)->timeout_ms);
	if (!probe_step(&other->probe, &other->uri, state_of(cx)->tls,
		    relay_now_ms(cx)))
		return true;
	take(cx, other);
	return false;
}

static bool is_due(const struct relay_ctx *cx, const struct other *other)
{
	/* In an upgrade the new process checks. */
	return other->due_ms <= relay_now_ms(cx) &&
	       relay_draining() != RELAY_DRAIN_MOVE;
}

int64_t others_work(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);
	unsigned running = 0, busy = 0;

	for (size_t i = 0; i < OTHERS_MOST && state->others[i]; i++)
		busy += is_busy(state->others[i]);
	for (size_t i = 0; i < OTHERS_MOST && state->others[i]; i++) {
		struct other *other = state->others[i];
		bool begins = !is_busy(other);

		if (begins && (busy >= AT_ONCE || !is_due(cx, other)))
			continue;
		busy += begins;
		running += work_on(cx, other);
	}
	return running ? STEP_MS : REST_MS;
}

void others_finish(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);

	free_all(state->others);
	free_all(state->next);
	SSL_CTX_free(state->tls);
	state->tls = NULL;
}

/* SPDX-License-Identifier: MPL-2.0 */

/* testutil -test: joins, connects to itself, and measures. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <strelaysrv/units.h>

#include "client_state.h"
#include "loopback.h"
#include "report.h"
#include "tool.h"

/* Like the pool's check of a relay. */
#define ATTEMPTS      3
#define AGAIN_S       1
#define HEAD_START_US (100 * 1000) /* see asking.c */

/*
 * The two ends of the session: as the requesting and as the requested device.
 */
enum end { ASKER, TARGET };

struct checking {
	struct tool *tool;
	struct report report;
	const char *step;               /* current */
	char uri[4200];                 /* of the relay that was joined */
	struct relay_client_join *join; /* owned, like all pointers here */
	struct relay_client_ask *ask;
	struct relay_client_invitation invitations[2];
	bool invited[2];
	struct relay_client_session *session; /* of the end that is joining */
	enum end end;
	int fds[2]; /* -1 until joined, and after they were passed on */
	int64_t session_us;
	struct event *head_start, *again, *patience;
	struct loopback *loopback;
};

static void end(struct checking *c, const struct relay_client_error *why)
{
	int code = why ? EXIT_FAILED : EXIT_SUCCESS;

	if (report_end(&c->report, c->step, why))
		code = EXIT_FAILED;
	tool_end(c->tool, code);
}

static void end_locally(struct checking *c, const char *what)
{
	struct relay_client_error why;

	client_error(&why, RELAY_CLIENT_LOCAL, "%s", what);
	end(c, &why);
}

/* Ends the step and starts the next. */
static void done(struct checking *c, int64_t took_us, const char *remark,
	const char *next)
{
	report_step(&c->report, c->step, took_us, remark);
	c->step = next;
	c->report.begin_us = client_now_us();
}

static int64_t took_us(const struct checking *c)
{
	return client_now_us() - c->report.begin_us;
}

static void drop_session(struct checking *c)
{
	relay_client_ask_free(c->ask);
	c->ask = NULL;
	relay_client_session_free(c->session);
	c->session = NULL;
	for (size_t i = 0; i < 2; i++) {
		if (c->fds[i] >= 0)
			(void)close(c->fds[i]);
		c->fds[i] = -1;
		c->invited[i] = false;
	}
}

/*
 * Retries from the invitation on, because the failure may be temporary, or the
 * relay may be slow to end the last session.
 */
static void session_failed(const struct relay_client_error *why, void *arg)
{
	struct checking *c = arg;
	struct timeval again = {AGAIN_S, 0};

	if (c->report.attempts == ATTEMPTS || evtimer_add(c->again, &again)) {
		end(c, why);
		return;
	}
	c->report.attempts++;
	(void)evtimer_del(c->patience);
	tool_say("%s: %s; trying again", c->step, why->text);
	drop_session(c);
}

/* Round trips and throughput. */

static void loopback_failed(const char *what, void *arg)
{
	struct checking *c = arg;
	struct relay_client_error why;

	client_error(&why, RELAY_CLIENT_CLOSED, "the session: %s", what);
	end(c, &why);
}

static void measured_round_trip(int64_t best_us, void *arg)
{
	struct checking *c = arg;
	char remark[64];

	c->report.round_trip_us = best_us;
	(void)snprintf(remark, sizeof(remark), "best of ten: %.3f ms",
		(double)best_us / 1000);
	done(c, took_us(c), remark, "throughput");
}

static void measured_throughput(int64_t bytes_per_s, int64_t us, void *arg)
{
	struct checking *c = arg;
	char rate[RELAY_RATE_TEXT];

	c->report.bytes_per_s = bytes_per_s;
	relay_rate_format(bytes_per_s, rate);
	done(c, us, rate, "");
	end(c, NULL);
}

static void measure(struct checking *c)
{
	static const struct loopback_handlers handlers = {
		measured_round_trip, measured_throughput, loopback_failed};

	done(c, c->session_us, "", "round-trip");
	c->loopback = loopback_start(c->tool->base, c->fds[ASKER],
		c->fds[TARGET], c->tool->args->timeout_ms, &handlers, c);
	c->fds[ASKER] = c->fds[TARGET] = -1;
	if (!c->loopback)
		end_locally(c, "the session cannot be used");
}

/* Session: joins one end after the other. */

static void connected(int fd, void *arg)
{
	struct checking *c = arg;
	struct timeval head_start = {0, HEAD_START_US};

	relay_client_session_free(c->session);
	c->session = NULL;
	c->fds[c->end] = fd;
	c->session_us += took_us(c);
	if (c->end == ASKER)
		measure(c);
	else if (evtimer_add(c->head_start, &head_start))
		end_locally(c, "no memory for a timer");
}

static void join_session(struct checking *c, enum end which)
{
	static const struct relay_client_session_handlers handlers = {
		connected, session_failed};
	struct relay_err err;

	c->end = which;
	c->report.begin_us = client_now_us();
	c->session = relay_client_session(
		c->tool->client, &c->invitations[which], &handlers, c, &err);
	if (!c->session)
		end_locally(c, err.text);
}

static void head_start_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	join_session(arg, ASKER);
}

/* Invitations: each arrives on its own connection. */

static void take_invitation(struct checking *c, enum end which,
	const struct relay_client_invitation *invitation)
{
	c->invitations[which] = *invitation;
	c->invited[which] = true;
	if (!c->invited[ASKER] || !c->invited[TARGET])
		return;
	(void)evtimer_del(c->patience);
	done(c, took_us(c), "", "session");
	c->session_us = 0;
	join_session(c, TARGET);
}

static void asker_invited(
	const struct relay_client_invitation *invitation, void *arg)
{
	take_invitation(arg, ASKER, invitation);
}

/* Ignore it if another device requested us meanwhile. */
static void target_invited(
	const struct relay_client_invitation *invitation, void *arg)
{
	struct checking *c = arg;

	if (c->ask && !c->invited[TARGET] &&
		memcmp(invitation->from, relay_client_id(c->tool->client),
			RELAY_DEVICE_ID_LEN) == 0)
		take_invitation(c, TARGET, invitation);
}

/*
 * The request has its own timeout; this is for the invitation at the joined
 * connection.
 */
static void not_invited(evutil_socket_t fd, short what, void *arg)
{
	struct relay_client_error why;

	(void)fd;
	(void)what;
	client_error(&why, RELAY_CLIENT_TIMEOUT,
		"the relay did not send both invitations in time");
	session_failed(&why, arg);
}

static void ask(struct checking *c)
{
	static const struct relay_client_ask_handlers handlers = {
		NULL, asker_invited, session_failed};
	struct relay_err err;
	struct timeval t;

	c->step = "invitation";
	c->report.begin_us = client_now_us();
	(void)evtimer_add(
		c->patience, client_timeval(2 * c->tool->args->timeout_ms, &t));
	c->ask = relay_client_ask(c->tool->client, c->uri,
		relay_client_id(c->tool->client), &handlers, c, &err);
	if (!c->ask)
		end_locally(c, err.text);
}

static void ask_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ask(arg);
}

/* The join. */

static void step(enum relay_client_step at, const char *relay, void *arg)
{
	/* The step after each. */
	static const char *const next[RELAY_CLIENT_STEPS] = {
		[RELAY_CLIENT_STEP_POOL] = "latency",
		[RELAY_CLIENT_STEP_LATENCY] = "lookup",
		[RELAY_CLIENT_STEP_LOOKUP] = "tcp",
		[RELAY_CLIENT_STEP_CONNECTED] = "tls",
		[RELAY_CLIENT_STEP_TLS] = "join",
	};
	struct checking *c = arg;

	/* With a pool, the previous relay may have failed. */
	c->step = tool_step_word(at);
	if (at > RELAY_CLIENT_STEP_LATENCY)
		(void)snprintf(
			c->report.relay, sizeof(c->report.relay), "%s", relay);
	done(c, took_us(c), at == RELAY_CLIENT_STEP_LOOKUP ? relay : "",
		next[at]);
}

static void joined(const char *uri, void *arg)
{
	struct checking *c = arg;

	(void)snprintf(c->uri, sizeof(c->uri), "%s", uri);
	done(c, took_us(c), "", "invitation");
	ask(c);
}

static void join_ended(const struct relay_client_error *why, void *arg)
{
	end(arg, why);
}

static int begin(struct checking *c, struct relay_err *err)
{
	static const struct relay_client_join_handlers handlers = {
		step, joined, target_invited, join_ended};
	struct tool *tool = c->tool;

	c->head_start = evtimer_new(tool->base, head_start_over, c);
	c->again = evtimer_new(tool->base, ask_again, c);
	c->patience = evtimer_new(tool->base, not_invited, c);
	if (!c->head_start || !c->again || !c->patience ||
		report_init(&c->report, tool->args->json,
			relay_client_id(tool->client)))
		return relay_fail(err, "no memory");
	c->step = strncmp(tool->args->relay, "dynamic", 7) ? "lookup" : "pool";
	c->join = relay_client_join(
		tool->client, tool->args->relay, &handlers, c, err);
	return c->join ? 0 : -1;
}

struct checking *checking_start(struct tool *tool, struct relay_err *err)
{
	struct checking *c = calloc(1, sizeof(*c));

	if (!c) {
		(void)relay_fail(err, "no memory");
		return NULL;
	}
	c->tool = tool;
	c->fds[ASKER] = c->fds[TARGET] = -1;
	if (begin(c, err) == 0)
		return c;
	checking_free(c);
	return NULL;
}

void checking_free(struct checking *checking)
{
	if (!checking)
		return;
	drop_session(checking);
	loopback_free(checking->loopback);
	relay_client_join_free(checking->join);
	if (checking->head_start)
		event_free(checking->head_start);
	if (checking->again)
		event_free(checking->again);
	if (checking->patience)
		event_free(checking->patience);
	report_finish(&checking->report);
	free(checking);
}

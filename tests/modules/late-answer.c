/* SPDX-License-Identifier: MPL-2.0 */

/*
 * late-answer: takes its time to decide about peers, until a page of it is
 * requested: /NAME?pass answers all tickets so far, on a thread of its own, and
 * keeps them, so that a second request answers a second time.
 */

#include <string.h>

#include <event2/buffer.h>

#include <strelaysrv/module.h>

#define TICKETS_MOST 20000

struct conf {
	bool join, connect, find; /* which filters wait */
	int64_t otherwise;
	bool ticketless;
	bool haunts;
};

static const char *const otherwises[] = {"deny", "pass", NULL};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, join, bool, "join", RELAY_BOOL, "yes", 0, 0,
		"whether a join waits"),
	RELAY_OPT(struct conf, connect, bool, "connect", RELAY_BOOL, "no", 0, 0,
		"whether a request waits"),
	RELAY_OPT(struct conf, find, bool, "find", RELAY_BOOL, "no", 0, 0,
		"whether a search waits"),
	RELAY_OPT(struct conf, otherwise, int64_t, "otherwise", RELAY_CHOICE,
		"deny", 0, 0, "what counts without an answer",
		.choices = otherwises),
	RELAY_OPT(struct conf, ticketless, bool, "ticketless", RELAY_BOOL, "no",
		0, 0, "whether it waits without a ticket"),
	RELAY_OPT(struct conf, haunts, bool, "haunts", RELAY_BOOL, "no", 0, 0,
		"whether it answers once more after its end"),
	RELAY_OPT_END};

/* Not in cx->data, which does not outlive the module's run. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct relay_ctx *self;
	struct relay_ticket tickets[TICKETS_MOST];
	size_t count;
	struct relay_decision answer;
	struct relay_ticket given[TICKETS_MOST]; /* to be answered */
	size_t given_count;
	bool over;
	pthread_t thread;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER};

/* For the other one of the two modules. */
struct late_answer {
	size_t (*tickets)(struct relay_ticket *out);
};

static size_t copy_tickets(struct relay_ticket *out)
{
	size_t count;

	pthread_mutex_lock(&state.lock);
	count = state.count;
	memcpy(out, state.tickets, count * sizeof(*out));
	pthread_mutex_unlock(&state.lock);
	return count;
}

static const struct late_answer service = {copy_tickets};

static enum relay_verdict wait_for_page(
	struct relay_ctx *cx, bool waits, const char *hook)
{
	const struct conf *conf = cx->conf;
	struct relay_ticket ticket;
	bool took;

	if (!waits)
		return RELAY_PASS;
	took = !conf->ticketless &&
	       relay_ticket_take(
		       cx, conf->otherwise ? RELAY_PASS : RELAY_DENY, &ticket);
	pthread_mutex_lock(&state.lock);
	if (took && state.count < TICKETS_MOST)
		state.tickets[state.count++] = ticket;
	pthread_mutex_unlock(&state.lock);
	/* A test that sees this has it answered. */
	relay_log(cx, RELAY_NOTICE, "%s", hook);
	if (!took && !conf->ticketless)
		relay_log(cx, RELAY_NOTICE, "no ticket");
	return RELAY_WAIT;
}

static enum relay_verdict peer_join(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token, struct relay_denial *why)
{
	const struct conf *conf = cx->conf;

	(void)conn;
	(void)token;
	(void)why;
	return wait_for_page(cx, conf->join, "peer_join");
}

static enum relay_verdict peer_connect(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why)
{
	const struct conf *conf = cx->conf;

	(void)conn;
	(void)target;
	(void)why;
	return wait_for_page(cx, conf->connect, "peer_connect");
}

static enum relay_verdict peer_find(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_found *found, struct relay_denial *why)
{
	const struct conf *conf = cx->conf;

	(void)conn;
	(void)target;
	(void)found;
	(void)why;
	return wait_for_page(cx, conf->find, "peer_find");
}

static void *answer_all(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&state.lock);
	for (;;) {
		while (!state.given_count && !state.over)
			pthread_cond_wait(&state.news, &state.lock);
		for (size_t i = 0; i < state.given_count; i++)
			(void)relay_settle(
				state.self, &state.given[i], &state.answer);
		state.given_count = 0;
		pthread_cond_broadcast(&state.news);
		if (state.over)
			break;
	}
	pthread_mutex_unlock(&state.lock);
	return NULL;
}

static const struct {
	const char *word;
	struct relay_decision decision;
} answers[] = {
	{"pass", {.verdict = RELAY_PASS}},
	{"deny", {.verdict = RELAY_DENY,
			 .why = {RELAY_REFUSE_POLICY, "late-denial"}}},
	{"wrong", {.verdict = RELAY_WAIT}},
	{"found", {.verdict = RELAY_TAKE,
			  .found = {.address = {192, 0, 2, 7},
				  .address_len = 4,
				  .port = 4321,
				  .key_len = 3,
				  .key = "key"}}},
	{"here",
		{.verdict = RELAY_TAKE, .found = {.key_len = 3, .key = "key"}}},
	{"nowhere", {.verdict = RELAY_TAKE}},
};

/* Whose tickets to answer: "?pass" or, of the other module, "?NAME:pass". */
static size_t chosen(struct relay_ctx *cx, const char *other)
{
	const struct late_answer *theirs;
	struct relay_ctx *self;

	if (!other[0]) {
		memcpy(state.given, state.tickets,
			state.count * sizeof(*state.given));
		return state.count;
	}
	theirs = relay_service_find(cx, other, 1, &self);
	return theirs ? theirs->tickets(state.given) : 0;
}

static void page(struct relay_ctx *cx, struct relay_http *http)
{
	const char *query = http->query ? http->query : "";
	const char *colon = strchr(query, ':');
	const char *word = colon ? colon + 1 : query;
	char other[32] = "";

	if (colon)
		memcpy(other, query, (size_t)(colon - query));
	pthread_mutex_lock(&state.lock);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (strcmp(word, answers[i].word) == 0) {
			state.answer = answers[i].decision;
			state.given_count = chosen(cx, other);
		}
	if (strcmp(word, "forget") == 0)
		state.count = 0;
	evbuffer_add_printf(http->body, "%zu\n", state.count);
	pthread_cond_broadcast(&state.news);
	while (state.given_count)
		pthread_cond_wait(&state.news, &state.lock);
	pthread_mutex_unlock(&state.lock);
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	if (relay_http_route(cx, "/" NAME, page) != 0 ||
		relay_service_publish(cx, NAME, 1, &service) != 0)
		return relay_fail(err, "no route or service");
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	state.self = cx;
	state.over = false;
	return relay_thread_start(&state.thread, answer_all, NULL) == 0
		       ? 0
		       : relay_fail(err, "no thread");
}

static void stop(struct relay_ctx *cx)
{
	const struct conf *conf = cx->conf;

	pthread_mutex_lock(&state.lock);
	state.over = true;
	if (conf->haunts)
		state.given_count = chosen(cx, "");
	state.answer = answers[0].decision;
	pthread_cond_broadcast(&state.news);
	pthread_mutex_unlock(&state.lock);
	if (conf->haunts)
		pthread_detach(state.thread);
	else
		pthread_join(state.thread, NULL);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO(NAME, "1", "decides when a page is requested"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.init = init,
	.start = start,
	.stop = stop,
	.hooks =
		{
			.peer_join = peer_join,
			.peer_connect = peer_connect,
			.peer_find = peer_find,
		},
};

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * mover: moves every session to a random worker, again and again, and checks
 * that hooks run where the session is and that its id finds it.
 */

#include <pthread.h>
#include <stdlib.h>

#include <utlist.h>

#include <strelaysrv/module.h>

#define KNOWN_MOST 256
/* A session is closed a moment before this module is told: ask again. */
#define ASKS_MOST 10000

struct conf {
	int64_t interval;
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, interval, int64_t, "interval", RELAY_DURATION,
		"5ms", 1, 0, "time between two moves of a session"),
	RELAY_OPT_END};

/* Of each session. */
struct block {
	struct block *next, *prev; /* in the worker's list */
	struct relay_session *session;
	int worker; /* where it is; -1: on its way */
	int place;  /* in `known`; -1: none */
};

struct local {
	struct block *first;
	bool ticking;
	unsigned state; /* of the random numbers */
};

enum { METRIC_MOVES, METRIC_FOUND, METRIC_ENDED, METRIC_LOST, METRIC_COUNT };

struct data {
	pthread_mutex_t lock;
	uint64_t known[KNOWN_MOST]; /* ids of sessions; 0: none */
	struct relay_metric *metrics[METRIC_COUNT];
};

static const struct relay_metric_def metrics[METRIC_COUNT] = {
	[METRIC_MOVES] = {.name = "arrivals",
		.kind = RELAY_COUNTER,
		.help = "Arrivals of sessions at another worker."},
	[METRIC_FOUND] = {.name = "found",
		.kind = RELAY_COUNTER,
		.help = "Messages that have found their session."},
	[METRIC_ENDED] = {.name = "ended",
		.kind = RELAY_COUNTER,
		.help = "Messages to sessions that had ended."},
	[METRIC_LOST] = {.name = "lost",
		.kind = RELAY_COUNTER,
		.help = "Messages that have not found a session that is "
			"there."},
};

static void count(struct relay_ctx *cx, int which)
{
	struct data *data = cx->data;

	relay_metric_inc(cx, data->metrics[which], 0, 1);
}

static unsigned below(struct local *local, unsigned n)
{
	local->state = local->state * 1103515245U + 12345U;
	return (local->state >> 16) % n;
}

/* Messages by id. */

struct ask {
	uint64_t id;
	unsigned count;
};

static bool is_known(struct data *data, uint64_t id)
{
	bool known = false;

	pthread_mutex_lock(&data->lock);
	for (int i = 0; i < KNOWN_MOST; i++)
		known |= data->known[i] == id;
	pthread_mutex_unlock(&data->lock);
	return known;
}

static void answer(
	struct relay_ctx *cx, struct relay_session *session, const void *arg)
{
	struct ask ask = *(const struct ask *)arg;
	const struct block *block =
		session ? relay_session_data(cx, session) : NULL;

	if (session) {
		if (relay_session_id(session) != ask.id ||
			(block && block->worker != cx->worker) ||
			relay_session_find(cx, ask.id) != session)
			abort();
		count(cx, METRIC_FOUND);
	} else if (!is_known(cx->data, ask.id)) {
		count(cx, METRIC_ENDED);
	} else if (ask.count++ == ASKS_MOST ||
		   relay_session_post(cx, ask.id, answer, &ask, sizeof(ask)) !=
			   0) {
		count(cx, METRIC_LOST);
	}
}

static void ask_one(struct relay_ctx *cx)
{
	struct data *data = cx->data;
	struct ask ask = {.count = 0};

	pthread_mutex_lock(&data->lock);
	ask.id = data->known[below(cx->local, KNOWN_MOST)];
	pthread_mutex_unlock(&data->lock);
	if (ask.id &&
		relay_session_post(cx, ask.id, answer, &ask, sizeof(ask)) != 0)
		count(cx, METRIC_LOST);
}

/* Moves. */

static int64_t tick(struct relay_ctx *cx, void *arg)
{
	const struct conf *conf = cx->conf;
	struct local *local = cx->local;

	(void)arg;
	for (struct block *at = local->first; at; at = at->next)
		relay_session_move(at->session,
			(int)below(local, (unsigned)relay_worker_count()));
	for (int i = 0; i < 8; i++)
		ask_one(cx);
	if (local->first)
		return conf->interval;
	local->ticking = false;
	return 0;
}

static void add(struct relay_ctx *cx, struct block *block)
{
	const struct conf *conf = cx->conf;
	struct local *local = cx->local;

	block->worker = cx->worker;
	DL_PREPEND(local->first, block);
	if (!local->ticking)
		local->ticking =
			relay_timer_add(cx, conf->interval, tick, NULL) != NULL;
}

static void take_out(struct relay_ctx *cx, struct block *block)
{
	struct local *local = cx->local;

	if (block->worker != cx->worker)
		abort();
	block->worker = -1;
	DL_DELETE(local->first, block);
}

static void know(struct data *data, struct block *block, uint64_t id)
{
	block->place = -1;
	pthread_mutex_lock(&data->lock);
	for (int i = 0; i < KNOWN_MOST && block->place < 0; i++)
		if (!data->known[i])
			block->place = i;
	if (block->place >= 0)
		data->known[block->place] = id;
	pthread_mutex_unlock(&data->lock);
}

static enum relay_verdict session_open(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why)
{
	struct block *block = relay_session_data(cx, session);

	(void)why;
	block->session = session;
	know(cx->data, block, relay_session_id(session));
	add(cx, block);
	return RELAY_PASS;
}

static void session_leave(struct relay_ctx *cx, struct relay_session *session)
{
	struct block *block = relay_session_data(cx, session);

	if (block)
		take_out(cx, block);
}

static void session_enter(struct relay_ctx *cx, struct relay_session *session)
{
	struct block *block = relay_session_data(cx, session);

	if (!block)
		return;
	if (block->worker != -1)
		abort();
	add(cx, block);
	count(cx, METRIC_MOVES);
}

static void session_sent(struct relay_ctx *cx, struct relay_session *session,
	int from, size_t len)
{
	const struct block *block = relay_session_data(cx, session);

	(void)from;
	(void)len;
	if (block && block->worker != cx->worker)
		abort();
}

static void session_close(struct relay_ctx *cx, struct relay_session *session,
	enum relay_reason reason)
{
	struct block *block = relay_session_data(cx, session);
	struct data *data = cx->data;

	(void)reason;
	if (!block)
		return;
	take_out(cx, block);
	pthread_mutex_lock(&data->lock);
	if (block->place >= 0)
		data->known[block->place] = 0;
	pthread_mutex_unlock(&data->lock);
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	if (pthread_mutex_init(&data->lock, NULL) != 0)
		return relay_fail(err, "cannot make a mutex");
	return relay_metrics_add(cx, metrics, METRIC_COUNT, data->metrics, err);
}

static int worker_start(struct relay_ctx *cx, struct relay_err *err)
{
	struct local *local = cx->local;

	(void)err;
	local->state = (unsigned)cx->worker + 1;
	return 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("mover", "1", "moves every session at random"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.worker_size = sizeof(struct local),
	.session_size = sizeof(struct block),
	.init = init,
	.worker_start = worker_start,
	.hooks =
		{
			.session_open = session_open,
			.session_sent = session_sent,
			.session_close = session_close,
			.session_leave = session_leave,
			.session_enter = session_enter,
		},
};

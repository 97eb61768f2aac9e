/* SPDX-License-Identifier: MPL-2.0 */

/* Two clients with the same token meet. */

#include <stdlib.h>

#include <utlist.h>

#include "shared/exempt.h"
#include "wormhole-transit/drain.h"
#include "wormhole-transit/meeting.h"
#include "wormhole-transit/refusal.h"

static const char answer[] = "ok\n";

/* What ends somebody who waits on another worker. */
struct farewell {
	uint64_t conn;
	enum result result;
};

static void on_farewell(struct relay_ctx *cx, const void *arg)
{
	const struct farewell *farewell = arg;
	struct relay_conn *conn = relay_conn_find(cx, farewell->conn);

	if (conn && client_of(cx, conn)->state == CLIENT_WAITING)
		client_refuse(cx, conn, farewell->result, NULL,
			farewell->result == RESULT_REDUNDANT
				? RELAY_END_REPLACED
				: RELAY_END_LIMIT);
}

static void let_go(struct relay_ctx *cx, struct place place, enum result result)
{
	const struct farewell farewell = {place.conn, result};

	/* Without memory it ends by its deadline. */
	(void)relay_post(
		cx, place.worker, on_farewell, &farewell, sizeof(farewell));
}

static void let_losers_go(
	struct relay_ctx *cx, const struct waiting_losers *losers)
{
	struct data *data = data_of(cx);

	for (unsigned i = 0; i < losers->count; i++) {
		relay_metric_inc(cx, data->metrics[METRIC_BOUNDS],
			losers->at[i].bound, 1);
		let_go(cx, losers->at[i].place, RESULT_BOUND);
	}
	if (losers->count)
		relay_log_seldom(cx, RELAY_WARNING, &data->kinds,
			"a bound on clients that wait was reached: the one "
			"that had waited longest was closed");
}

void meeting_forget(struct relay_ctx *cx, struct client *client)
{
	struct waiter *waiter = client->waiter;

	client->waiter = NULL;
	if (!waiter)
		return;
	waiting_leave(&data_of(cx)->waiting, waiter);
	DL_DELETE2(local_of(cx)->here, waiter, here_prev, here_next);
	free(waiter);
}

/* Its waiter: the one that it has, or a new one.  NULL without memory. */
static struct waiter *get_waiter(
	struct relay_ctx *cx, struct relay_conn *conn, struct client *client)
{
	struct waiter *waiter = client->waiter;

	if (!waiter) {
		waiter = calloc(1, sizeof(*waiter));
		if (!waiter)
			return NULL;
		waiter->until_ms =
			relay_now_ms(cx) + conf_of(cx)->wait_timeout_ms;
		client->waiter = waiter;
		DL_APPEND2(local_of(cx)->here, waiter, here_prev, here_next);
	}
	waiter->place.worker = cx->worker;
	waiter->place.conn = relay_conn_id(conn);
	return waiter;
}

static void let_rest_go(struct relay_ctx *cx, const char token[LINE_TOKEN])
{
	struct place rest[WAITING_PER_TOKEN_MOST];
	unsigned count = waiting_rest(&data_of(cx)->waiting, token, rest);

	for (unsigned i = 0; i < count; i++)
		let_go(cx, rest[i], RESULT_REDUNDANT);
}

static void join(
	struct relay_ctx *cx, struct relay_conn *first, struct relay_conn *last)
{
	struct relay_conn *const both[] = {first, last};
	struct relay_session *session;
	struct meeting *meeting;
	struct line line;

	(void)line_read(
		client_of(cx, last)->bytes, client_of(cx, last)->len, &line);
	for (int i = 0; i < 2; i++) {
		struct client *client = client_of(cx, both[i]);

		meeting_forget(cx, client);
		client->state = CLIENT_JOINING;
		/* Nothing was written before: there is room. */
		(void)relay_conn_write(both[i], answer, sizeof(answer) - 1);
	}
	session = relay_session_pair(
		cx, first, last, conf_of(cx)->idle_timeout_ms);
	if (!session)
		return; /* client_close() has counted why */
	for (int i = 0; i < 2; i++)
		client_of(cx, both[i])->state = CLIENT_PAIRED;
	atomic_fetch_sub(&data_of(cx)->unfinished, 2);
	relay_metric_inc(
		cx, data_of(cx)->metrics[METRIC_CLIENTS], RESULT_PAIRED, 2);
	meeting = relay_session_data(cx, session);
	if (meeting)
		meeting->ours = true;
	let_rest_go(cx, line.token);
}

/* It must have sent nothing after its line, and still be there.  If not, it is
 * closed. */
static bool is_patient(struct relay_ctx *cx, struct relay_conn *conn)
{
	char byte;
	ssize_t got = relay_conn_read(conn, &byte, 1);

	if (got > 0)
		client_impatient(cx, conn);
	return got == 0;
}

/* Both are on this worker.  False: `conn` has to look for another one. */
static bool meet(
	struct relay_ctx *cx, struct relay_conn *conn, uint64_t first_id)
{
	struct relay_conn *first = relay_conn_find(cx, first_id);
	const struct client *client = first ? client_of(cx, first) : NULL;

	if (!client || client->state != CLIENT_WAITING ||
		waiting_has(&data_of(cx)->waiting, client->waiter) ||
		!is_patient(cx, first))
		return false;
	if (is_patient(cx, conn))
		join(cx, first, conn);
	return true;
}

static void look(struct relay_ctx *cx, struct relay_conn *conn);

static void arrived(
	struct relay_ctx *cx, struct relay_conn *conn, const void *arg)
{
	const uint64_t *first = arg;

	if (!meet(cx, conn, *first))
		look(cx, conn);
}

static void wait(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct client *client = client_of(cx, conn);
	int64_t left = client->waiter->until_ms - relay_now_ms(cx);

	client->state = CLIENT_WAITING;
	relay_conn_deadline(conn, left > 0 ? left : 0);
	/* Its end may have come with its line, and is not told again. */
	relay_conn_again(conn);
	drain_waits(cx, conn);
}

/* Nobody has answered it yet. */
static void look(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct client *client = client_of(cx, conn);
	struct data *data = data_of(cx);
	struct waiter *waiter = get_waiter(cx, conn, client);
	struct line line = {.len = 0};
	struct waiting_losers losers;
	struct source source;
	enum waiting_answer found = WAITING_NO_MEMORY;

	(void)line_read(client->bytes, client->len, &line);
	pthread_mutex_lock(&data->lock);
	exempt_source(&data->exempt, conn, &source);
	pthread_mutex_unlock(&data->lock);
	if (waiter)
		found = waiting_meet(&data->waiting, waiter, &line, &source,
			&conf_of(cx)->limits, &client->other, &losers);
	if (found == WAITING_NO_MEMORY) {
		client_refuse(cx, conn, RESULT_ERROR, NULL, RELAY_END_ERROR);
		return;
	}
	let_losers_go(cx, &losers);
	if (found == WAITING_ADDED) {
		wait(cx, conn);
		return;
	}
	meeting_forget(cx, client);
	client->state = CLIENT_MATCHED;
	relay_conn_deadline(conn, -1);
	/* By a message if it is on this worker, too: no two of a token call
	 * each other without end. */
	relay_conn_move(cx, conn, client->other.worker, arrived,
		&client->other.conn, sizeof(client->other.conn));
}

void meeting_begin(struct relay_ctx *cx, struct relay_conn *conn)
{
	struct data *data = data_of(cx);
	struct relay_denial why = {RELAY_REFUSE_POLICY, NULL};

	if (relay_draining() == RELAY_DRAIN_NONE && relay_closed()) {
		client_refuse(cx, conn, RESULT_CLOSED, NULL, RELAY_END_DENIED);
	} else if (relay_conn_at_limit(conn)) {
		relay_log_seldom(cx, RELAY_WARNING, &data->full,
			"the bound max-connections was reached: clients are "
			"closed");
		client_refuse(cx, conn, RESULT_FULL, NULL, RELAY_END_LIMIT);
	} else if (relay_ask_try(cx, conn, RELAY_TRY_CONNECT, &why) !=
		   RELAY_PASS) {
		client_refuse(cx, conn, RESULT_REFUSED, NULL, RELAY_END_DENIED);
	} else {
		look(cx, conn);
	}
}

/* Its partner has ended, so it waits for another one, unless somebody has put
 * it in the table again. */
static void on_alone(struct relay_ctx *cx, const void *arg)
{
	const uint64_t *id = arg;
	struct relay_conn *conn = relay_conn_find(cx, *id);
	struct client *client = conn ? client_of(cx, conn) : NULL;

	if (client && client->state == CLIENT_WAITING &&
		!waiting_has(&data_of(cx)->waiting, client->waiter))
		look(cx, conn);
}

void meeting_failed(struct relay_ctx *cx, struct place other)
{
	/* Without memory it ends by its deadline. */
	(void)relay_post(
		cx, other.worker, on_alone, &other.conn, sizeof(other.conn));
}

/* SPDX-License-Identifier: MPL-2.0 */

/* The filters: by an earlier answer, or by a question. */

#include <string.h>

#include "shared/exempt.h"
#include "asking.h"
#include "counts.h"
#include "data.h"
#include "here.h"
#include "decide.h"

static enum relay_verdict refuse(
	struct relay_denial *why, enum relay_refusal refusal, const char *word)
{
	*why = (struct relay_denial){refusal, word};
	return RELAY_DENY;
}

/* A device that joins, and to which nothing is to be applied before. */
static bool allow_at_once(struct relay_ctx *cx, const struct question *question,
	const struct answer *answer)
{
	struct data *data = cx->data;
	bool at_once = !answer_has_terms(answer);
	struct device *device;

	if (question->kind == QUESTION_ASK)
		return true;
	pthread_mutex_lock(&data->lock);
	device = here_find(&data->here, question->device);
	at_once = at_once && device && !answer_has_terms(&device->answer);
	if (at_once)
		here_allow(device, question, answer, relay_now_ms(cx));
	pthread_mutex_unlock(&data->lock);
	return at_once;
}

static enum relay_verdict no_memory(
	struct relay_ctx *cx, struct relay_denial *why)
{
	struct data *data = cx->data;

	count_failure(cx, FAILURE_MEMORY);
	relay_log_seldom(cx, RELAY_ERROR, &data->short_of_memory,
		"refused: no memory to ask about a device");
	return refuse(why, RELAY_REFUSE_FULL, counts_word(FAILURE_MEMORY));
}

/* `what` of the question is posted to the control thread. */
static enum relay_verdict wait_for(struct relay_ctx *cx,
	const struct question *question, relay_post_fn *how, const void *what,
	size_t len, struct relay_denial *why)
{
	struct data *data = cx->data;

	unsettled_begin(&data->unsettled, question->ticket.number);
	if (relay_post(cx, RELAY_CONTROL, how, what, len) == 0)
		return RELAY_WAIT;
	unsettled_end(&data->unsettled, question->ticket.number);
	return no_memory(cx, why);
}

/* The widest source, as a site has many of the narrow ones.  With the lock
 * held. */
static void note_source(struct relay_ctx *cx, const struct relay_conn *conn,
	struct queue_key *out)
{
	const struct data *data = cx->data;
	struct source source;

	exempt_source(&data->exempt, conn, &source);
	if (source.levels)
		memcpy(out->bytes, source.key[source.levels - 1], ID_LEN);
}

static enum relay_verdict decide(struct relay_ctx *cx,
	const struct relay_conn *conn, struct question *question,
	struct relay_denial *why)
{
	struct member *member = relay_conn_data(cx, conn);
	struct data *data = cx->data;
	const struct conf *conf = cx->conf;
	struct asked earlier = {.failure = FAILURE_NONE};
	bool found;

	question->asked_ms = relay_now_ms(cx);
	pthread_mutex_lock(&data->lock);
	note_source(cx, conn, &question->source);
	found = cache_get(&data->cache, question->key, question->asked_ms,
		&earlier.answer);
	pthread_mutex_unlock(&data->lock);
	if (found)
		count_verdict(cx, COUNT_HITS, earlier.answer.allow);
	if (found && !earlier.answer.allow)
		return refuse(why, asking_refusal(question), "denied");
	if (found && allow_at_once(cx, question, &earlier.answer))
		return RELAY_PASS;
	if (!relay_ticket_take(cx, conf->fail_open ? RELAY_PASS : RELAY_DENY,
		    &question->ticket))
		return refuse(why, RELAY_REFUSE_FULL, "busy");
	if (member)
		member->ticket = question->ticket.number;
	if (!found)
		return wait_for(cx, question, asking_begin, question,
			sizeof(*question), why);
	earlier.question = *question;
	return wait_for(
		cx, question, asking_recall, &earlier, sizeof(earlier), why);
}

enum relay_verdict decide_peer_join(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token, struct relay_denial *why)
{
	const struct conf *conf = cx->conf;
	struct question question;

	if (conf->what == WHAT_ASKS)
		return RELAY_PASS;
	/* Nothing can be kept of a connection that is older than the module. */
	if (!relay_conn_data(cx, conn))
		return refuse(why, RELAY_REFUSE_FULL, "busy");
	if (!relay_conn_peer(conn) ||
		question_make(&question, QUESTION_JOIN, conn, NULL, token) !=
			0 ||
		here_enter(cx, conn) != 0)
		return no_memory(cx, why);
	return decide(cx, conn, &question, why);
}

/* Who may not stay may finish its sessions, but gets no new ones. */
static enum relay_verdict may_meet(struct relay_ctx *cx, const uint8_t *asker,
	const uint8_t *target, struct relay_denial *why)
{
	const char *barred = asker ? here_barred(cx, asker) : NULL;

	if (!barred)
		barred = here_barred(cx, target);
	return barred ? refuse(why, RELAY_REFUSE_ABSENT, barred) : RELAY_PASS;
}

enum relay_verdict decide_peer_connect(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_denial *why)
{
	const struct conf *conf = cx->conf;
	const uint8_t *asker = relay_conn_peer(conn);
	struct question question;

	if (may_meet(cx, asker, target, why) != RELAY_PASS)
		return RELAY_DENY;
	if (conf->what == WHAT_JOINS)
		return RELAY_PASS;
	if (!asker ||
		question_make(&question, QUESTION_ASK, conn, target, NULL) != 0)
		return no_memory(cx, why);
	return decide(cx, conn, &question, why);
}

/* The web service is asked by the server that the asker is connected to. */
enum relay_verdict decide_peer_asked(struct relay_ctx *cx,
	const struct relay_asker *asker, const uint8_t *target,
	struct relay_denial *why)
{
	return may_meet(cx, asker->id, target, why);
}

enum relay_verdict decide_peer_stay(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	const struct member *member = relay_conn_data(cx, conn);

	if (!member || !member->device)
		return RELAY_PASS;
	if (atomic_load(&member->device->denied))
		return refuse(why, RELAY_REFUSE_POLICY, "denied");
	if (atomic_load(&member->device->used_up))
		return refuse(why, RELAY_REFUSE_FULL, "quota");
	return RELAY_PASS;
}

void decide_conn_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	const struct member *member = relay_conn_data(cx, conn);
	struct data *data = cx->data;
	struct asking_leaver leaver = {0};

	(void)reason;
	if (member && member->ticket &&
		unsettled_may_have(&data->unsettled, member->ticket)) {
		leaver.ticket = member->ticket;
		pthread_mutex_lock(&data->lock);
		note_source(cx, conn, &leaver.source);
		pthread_mutex_unlock(&data->lock);
		/* Without memory, the endpoint is asked in vain. */
		(void)relay_post(cx, RELAY_CONTROL, asking_left, &leaver,
			sizeof(leaver));
	}
	here_leave(cx, conn);
}

int decide_worker_start(struct relay_ctx *cx, struct relay_err *err)
{
	(void)err;
	/* Until the first session of a device with a quota. */
	relay_session_hooks(cx, false);
	return 0;
}

enum relay_verdict decide_session_open(struct relay_ctx *cx,
	struct relay_session *session, struct relay_denial *why)
{
	for (int side = 0; side < 2; side++) {
		const uint8_t *id =
			relay_conn_peer(relay_session_side(session, side));
		const char *barred = id ? here_barred(cx, id) : NULL;

		if (barred)
			return refuse(why, RELAY_REFUSE_POLICY, barred);
	}
	here_session(cx, session);
	return RELAY_PASS;
}

void decide_session_close(struct relay_ctx *cx, struct relay_session *session,
	enum relay_reason reason)
{
	(void)reason;
	here_session_close(cx, session);
}

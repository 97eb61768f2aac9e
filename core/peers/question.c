/* SPDX-License-Identifier: MPL-2.0 */

/* Questions whose answer takes time. */

#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "modules/module.h"
#include "modules/module_threads.h"
#include "peers/conn_end.h"
#include "peers/conn_state.h"
#include "peers/peer_metrics.h"
#include "peers/peers_shared.h"
#include "peers/peers_state.h"
#include "peers/question.h"
#include "peers/question_end.h"
#include "peers/question_state.h"

/* The ticket's number is a running number of the worker and, in the lowest
 * bits, the worker's own. */
#define WORKER_BITS 8
_Static_assert(WORKERS_MAX <= 1 << WORKER_BITS, "a ticket names the worker");

static struct peers *peers_here(const struct relay_ctx *cx)
{
	return peers_of_loop(module_ctx_of(cx)->loop);
}

static void question_due(struct deadline *deadline);

/* Tickets. */

static const char *refused_place(
	struct worker *worker, enum question_place place)
{
	static const struct {
		enum peer_question_bound label;
		const char *word;
	} bounds[] = {
		[QUESTION_PLACED] = {PEER_QUESTION_MEMORY, "no-memory"},
		[QUESTION_DEVICE_FULL] = {PEER_QUESTION_DEVICE,
			"waiting-per-device"},
		[QUESTION_SOURCE_FULL] = {PEER_QUESTION_SOURCE,
			"waiting-per-source"},
		[QUESTION_ALL_FULL] = {PEER_QUESTION_ALL, "waiting"},
	};

	peer_count(
		worker->shard, PEER_QUESTIONS_REFUSED, bounds[place].label, 1);
	log_core_seldom(RELAY_WARNING, &peers_shared()->no_place,
		"a module could not take its time to decide about a peer: %s",
		bounds[place].word);
	return bounds[place].word;
}

/* The same question in memory of its own, with a place.  NULL: no room, and
 * *word says why. */
static struct question *keep(const struct question *from, const char **word)
{
	struct relay_conn *conn = from->conn;
	struct peers *peers = peers_of(conn->worker);
	enum question_place place = question_place_take(
		&peers_shared()->questions, conn->addr, question_device(conn));
	size_t len = from->kind == QUESTION_JOIN ? strlen(from->arg) + 1
						 : RELAY_DEVICE_ID_LEN;
	struct question *kept = NULL;

	if (place == QUESTION_PLACED) {
		kept = malloc(sizeof(*kept) + len);
		if (!kept)
			question_place_give(&peers_shared()->questions,
				conn->addr, question_device(conn));
	}
	if (!kept) {
		*word = refused_place(conn->worker, place);
		return NULL;
	}
	*kept = *from;
	memcpy(kept->kept, from->arg, len);
	kept->arg = kept->kept;
	kept->number = ++peers->questions << WORKER_BITS |
		       (unsigned)conn->worker->loop.index;
	kept->began_us = loop_clock_us();
	kept->deadline = (struct deadline){.due = question_due};
	peer_count(conn->worker->shard, PEER_QUESTIONS, kept->kind, 1);
	return kept;
}

bool relay_ticket_take(struct relay_ctx *cx, enum relay_verdict otherwise,
	struct relay_ticket *out)
{
	struct asking *asking = cx->worker >= 0 ? peers_here(cx)->asking : NULL;

	if (!asking || asking->module != cx || asking->late ||
		(otherwise != RELAY_PASS && otherwise != RELAY_DENY))
		return false;
	if (!asking->question->number) {
		struct question *kept = keep(asking->question, &asking->word);

		if (!kept)
			return false;
		asking->question = kept;
	}
	asking->ticket = true;
	asking->question->course.otherwise = (uint8_t)otherwise;
	asking->question->waits_for = cx->mod;
	*out = (struct relay_ticket){
		asking->question->conn->id, asking->question->number};
	return true;
}

/* Asking. */

static enum relay_verdict no_ticket(
	const struct asking *asking, struct relay_decision *out)
{
	const char *word = asking->late ? "no-answer" : "no-ticket";

	out->why = (struct relay_denial){
		RELAY_REFUSE_FULL, asking->word ? asking->word : word};
	return RELAY_DENY;
}

/* Calls the filters that were not asked yet, until one does not pass. */
static enum relay_verdict ask_modules(
	struct asking *asking, struct relay_decision *out)
{
	struct relay_conn *conn = asking->question->conn;
	const struct hook_set *set = conn->worker->hooks;
	enum question_kind kind = (enum question_kind)asking->question->kind;
	enum relay_verdict verdict = RELAY_PASS;

	for (unsigned i = 0; i < waiting_hooks(set, kind); i++) {
		struct relay_ctx *cx = waiting_hook_module(set, kind, i);

		if (!course_wants(&asking->question->course, cx->mod->slot))
			continue;
		asking->module = cx;
		asking->ticket = false;
		verdict = waiting_hook_call(
			set, kind, i, conn, asking->question->arg, out);
		if (verdict == RELAY_WAIT && !asking->ticket)
			verdict = no_ticket(asking, out);
		if (!course_heard(
			    &asking->question->course, cx->mod->slot, verdict))
			return verdict;
	}
	return RELAY_PASS;
}

static int64_t deadline_ms(const struct question *question)
{
	return question->began_us / 1000 +
	       peers_of(question->conn->worker)->answer_timeout_ms;
}

/*
 * RELAY_WAIT: the connection now has the question.  Any other answer is whole,
 * and a question that has memory of its own is the caller's.
 */
static enum relay_verdict ask(struct asking *asking, struct relay_decision *out)
{
	struct relay_conn *conn = asking->question->conn;
	struct peers *peers = peers_of(conn->worker);
	struct asking *before = peers->asking;

	peers->asking = asking;
	out->verdict = ask_modules(asking, out);
	peers->asking = before;
	if (out->verdict != RELAY_WAIT)
		return out->verdict;
	conn->question = asking->question;
	deadline_set(conn->worker, &asking->question->deadline,
		deadline_ms(asking->question));
	return RELAY_WAIT;
}

static enum relay_verdict begin(struct relay_ctx *cx, struct relay_conn *conn,
	enum question_kind kind, const void *arg, struct relay_decision *out,
	relay_decided_fn *decided)
{
	struct question question = {.conn = conn,
		.asker = cx,
		.decided = decided,
		.arg = arg,
		.kind = (uint8_t)kind};
	struct asking asking = {.question = &question};

	if (conn->question) {
		out->why = (struct relay_denial){
			RELAY_REFUSE_POLICY, "waits-already"};
		return out->verdict = RELAY_DENY;
	}
	if (ask(&asking, out) != RELAY_WAIT && asking.question->number) {
		question_withdraw(asking.question);
		free(asking.question);
	}
	return out->verdict;
}

enum relay_verdict relay_ask_join_wait(struct relay_ctx *cx,
	struct relay_conn *conn, const char *token,
	struct relay_decision *decision, relay_decided_fn *decided)
{
	return begin(cx, conn, QUESTION_JOIN, token, decision, decided);
}

enum relay_verdict relay_ask_connect_wait(struct relay_ctx *cx,
	struct relay_conn *conn, const uint8_t *target,
	struct relay_decision *decision, relay_decided_fn *decided)
{
	return begin(cx, conn, QUESTION_CONNECT, target, decision, decided);
}

enum relay_verdict relay_ask_find(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *target, struct relay_decision *decision,
	relay_decided_fn *decided)
{
	return begin(cx, conn, QUESTION_FIND, target, decision, decided);
}

bool relay_can_find(struct relay_ctx *cx)
{
	return waiting_hooks(peers_here(cx)->worker.hooks, QUESTION_FIND) > 0;
}

/* Answers. */

/* Tells who asked. */
static void decide(struct question *question, const struct relay_decision *is)
{
	struct relay_conn *conn = question->conn;
	const struct relay_ctx *before;

	if (question->result == PEER_QUESTION_PASSED &&
		is->verdict == RELAY_DENY)
		question->result = PEER_QUESTION_DENIED;
	question_over(question);
	before = hooks_enter(question->asker);
	question->decided(question->asker, conn,
		question->kind == QUESTION_JOIN ? NULL : question->arg, is);
	hooks_leave(before);
	free(question);
	/* Reads and writes only mark the end. */
	if (conn->phase == CONN_TAKEN && conn->ended)
		conn_end(conn, (enum relay_reason)conn->end_reason);
}

/* The module that was waited for has passed: asks the others. */
static void go_on(
	struct question *question, bool late, struct relay_decision *is)
{
	struct asking asking = {.question = question, .late = late};

	if (ask(&asking, is) != RELAY_WAIT)
		decide(question, is);
}

struct answer {
	struct relay_module *mod;
	struct relay_ticket ticket;
	struct relay_decision decision;
};

static const enum peer_dropped_label dropped[] = {
	[COURSE_LATE] = PEER_DROPPED_LATE,
	[COURSE_SECOND] = PEER_DROPPED_SECOND,
	[COURSE_FOREIGN] = PEER_DROPPED_FOREIGN,
};

static void on_answer(struct loop *loop, void *arg)
{
	struct answer *answer = arg;
	struct worker *worker = worker_of(loop);
	struct relay_module *mod = answer->mod;
	struct relay_conn *conn = object_table_find(
		&peers_of(worker)->conns, answer->ticket.conn);
	struct question *question = conn ? conn->question : NULL;
	enum course_answer is = COURSE_LATE;

	if (question && question->number == answer->ticket.number)
		is = course_settled(&question->course, mod->slot);
	if (is != COURSE_ACCEPTED) {
		peer_count(worker->shard, PEER_ANSWERS_DROPPED, dropped[is], 1);
		return;
	}
	answer->decision.verdict =
		waiting_hook_judge(&mod->workers[loop->index].pub,
			(enum question_kind)question->kind, &answer->decision);
	if (answer->decision.verdict == RELAY_PASS)
		go_on(question, false, &answer->decision);
	else
		decide(question, &answer->decision);
}

int relay_settle(struct relay_ctx *cx, const struct relay_ticket *ticket,
	const struct relay_decision *decision)
{
	const struct answer answer = {cx->mod, *ticket, *decision};
	unsigned worker =
		(unsigned)(ticket->number & ((1U << WORKER_BITS) - 1));

	if (!ticket->number || worker >= module_threads()->count())
		return -1;
	return loop_post(module_threads()->loop(worker), on_answer, &answer,
		sizeof(answer));
}

/* Nobody answers any more. */

static void question_due(struct deadline *deadline)
{
	struct question *question =
		(struct question *)(void *)((char *)deadline -
					    offsetof(
						    struct question, deadline));
	bool late = !question->course.left;
	struct relay_decision is = {
		.verdict = course_given_up(&question->course),
		.why = {RELAY_REFUSE_FULL, late ? "no-answer" : "module-left"},
	};

	question->result =
		late ? PEER_QUESTION_NO_ANSWER : PEER_QUESTION_MODULE_LEFT;
	if (late)
		log_core_seldom(RELAY_WARNING, &peers_shared()->no_answer,
			"the module %s did not decide about a peer within "
			"answer-timeout; it counts as %s",
			question->waits_for->def.name,
			is.verdict == RELAY_PASS ? "admitted" : "refused");
	if (is.verdict == RELAY_PASS)
		go_on(question, late, &is);
	else
		decide(question, &is);
}

void question_module_left(
	struct relay_conn *conn, const struct relay_module *mod)
{
	struct question *question = conn->question;

	if (!question)
		return;
	if (question->asker->mod == mod)
		question_drop(conn);
	else if (course_left(&question->course, mod->slot))
		/* Not here: the other workers may still have the old hooks. */
		deadline_set(
			conn->worker, &question->deadline, loop_clock_ms());
}

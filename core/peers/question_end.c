/* SPDX-License-Identifier: MPL-2.0 */

/* The end of a question. */

#include <stdlib.h>

#include "loop/loop.h"
#include "peers/conn_state.h"
#include "peers/peer_metrics.h"
#include "peers/peers_shared.h"
#include "peers/question_end.h"
#include "peers/question_state.h"

const uint8_t *question_device(const struct relay_conn *conn)
{
	/* Without TLS a module may set another one while the question waits. */
	return conn->tls ? relay_conn_peer(conn) : NULL;
}

void question_withdraw(struct question *question)
{
	struct relay_conn *conn = question->conn;

	question_place_give(
		&peers_shared()->questions, conn->addr, question_device(conn));
	peer_count(conn->worker->shard, PEER_QUESTIONS, question->kind, -1);
}

void question_over(struct question *question)
{
	struct relay_conn *conn = question->conn;
	struct worker *worker = conn->worker;

	course_end(&question->course);
	deadline_clear(worker, &question->deadline);
	question_withdraw(question);
	peer_count(worker->shard, PEER_QUESTIONS_SETTLED, question->result, 1);
	peer_observe(worker->shard, PEER_QUESTION_DURATION, question->kind,
		loop_clock_us() - question->began_us);
	conn->question = NULL;
}

void question_drop(struct relay_conn *conn)
{
	struct question *question = conn->question;

	if (!question)
		return;
	question->result = PEER_QUESTION_CLOSED;
	question_over(question);
	free(question);
}

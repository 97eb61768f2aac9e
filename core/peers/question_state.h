/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A question about a connection: what its filters were asked, and who waits for
 * their answer.
 *
 * There is no table of questions.  A question belongs to its connection, which
 * points to it while it waits, and a ticket names the connection.  While
 * filters run, it is on the stack, until one takes a ticket.
 */
#ifndef QUESTION_STATE_H
#define QUESTION_STATE_H

#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/question.h>

#include "modules/waiting_hooks.h"
#include "peers/question_course.h"
#include "workers/deadlines.h"

struct relay_module;

struct question {
	struct relay_conn *conn;   /* borrowed: the connection owns it */
	struct relay_ctx *asker;   /* the module that asked, on this worker */
	relay_decided_fn *decided; /* told of the answer */
	const void *arg;           /* token or target; kept: `kept` */
	const struct relay_module *waits_for; /* the last with a ticket */
	struct course course;
	uint64_t number;  /* of the ticket; 0: it is on the stack */
	int64_t began_us; /* monotonic */
	struct deadline deadline;
	uint8_t kind;         /* enum question_kind */
	uint8_t result;       /* enum peer_question_label */
	unsigned char kept[]; /* a copy of what `arg` pointed to */
};

/* What relay_ticket_take() needs to know: the filter that runs. */
struct asking {
	struct question *question;
	const struct relay_ctx *module; /* whose filter it is */
	const char *word;               /* why there is no ticket; NULL: none */
	bool ticket;                    /* it has taken one */
	bool late;                      /* out of time: nobody may wait */
};

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/*
 * answer.h - writes an answer as JSON, one object in each line.
 *
 *   {"version":1,"command":"x","tables":[TABLE, ...],"messages":["..."],
 *    "code":0}
 * where TABLE is
 *   {"title":"x","list":false,"columns":[{"name":"a","unit":"bytes",
 *    "align":"right"}],"rows":[[1],[null]]}
 * "unit" is "", "bytes", "bytes/s" or "ms".  An object with "more":true instead
 * of "code" is followed by another.  Between two elements there may be spaces,
 * which show that the server is alive.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>

#include <strelaysrv/module.h>

struct evbuffer;

#define ANSWER_VERSION 1

struct answer {
	struct relay_answer pub; /* first: commands get its address */
	struct evbuffer *out;    /* borrowed; NULL: not begun */
	struct evbuffer *said;   /* owned; the messages so far */
	const char *command;     /* borrowed */
	unsigned columns;        /* of the table that is open; 0: none is */
	unsigned cells;          /* in the row that is open */
	unsigned rows, tables;   /* so far */
	int code;
	bool begun; /* an object has begun */
	bool lost;  /* memory is short, or it is too long */
	void (*wake)(struct answer *answer);
};

/* 0, or -1 without memory.  answer_free() may follow in any case. */
int answer_init(struct answer *answer, struct evbuffer *out,
	const char *command, void (*wake)(struct answer *answer));
/* Writes the end. */
void answer_end(struct answer *answer);
/* Shows the client that the server is alive. */
void answer_beat(struct answer *answer);
void answer_free(struct answer *answer);

#endif

/* SPDX-License-Identifier: MPL-2.0 */

/* question.h - what the endpoint is asked, and how each dialect writes it. */
#ifndef QUESTION_H
#define QUESTION_H

#include <netinet/in.h>
#include <stdint.h>

#include <strelaysrv/module.h>

#include "shared/id_hash.h"
#include "shared/token_name.h"
#include "answer.h"
#include "queue.h"

enum question_kind {
	QUESTION_JOIN,  /* may the device join? */
	QUESTION_ASK,   /* may it ask for the target? */
	QUESTION_AGAIN, /* may the device, which has joined, stay? */
	QUESTION_KINDS
};

struct question {
	struct relay_ticket ticket; /* number 0: nobody waits */
	int64_t asked_ms;           /* relay_now_ms() */
	enum question_kind kind;
	uint8_t device[ID_LEN];
	uint8_t target[ID_LEN];  /* of QUESTION_ASK */
	uint8_t key[ID_LEN];     /* equal for equal questions */
	struct queue_key source; /* whose turn it is */
	char address[INET6_ADDRSTRLEN];
	char name[TOKEN_NAME_TEXT]; /* of the device's token; "": none */
};

/* Of a connection whose peer is known; target: NULL but for QUESTION_ASK.  Its
 * source is not set.  [W] 0, or -1 if its key cannot be computed. */
int question_make(struct question *out, enum question_kind kind,
	const struct relay_conn *conn, const uint8_t *target,
	const char *token);

/* Whether the device of that question may stay.  All of these have one source
 * of their own, so that they take no places of those who ask. */
void question_again(struct question *out, const struct question *of);
/* Whose source that is. */
struct queue_key question_again_source(void);

#define QUESTION_BODY 512
/* The body of the request, with its NUL. */
void question_body(const struct question *question, enum dialect dialect,
	char out[QUESTION_BODY]);
#define QUESTION_HEX (2 * ID_LEN + 1)
/* The device as derper and iroh write their keys: 64 hexadecimal digits. */
void question_hex(const struct question *question, char out[QUESTION_HEX]);

#endif

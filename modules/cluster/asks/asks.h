/* SPDX-License-Identifier: MPL-2.0 */

/*
 * asks.h - requests of this node's clients for devices elsewhere, until they
 * are answered.  [C]
 *
 * Pure, like claims.h.  An ask is settled once: by the registry (nobody has the
 * device), by the owner's answer, or by its time limit.  If the registry has
 * sent it and no answer has come after half of the time, it is sent once more,
 * with the same number: the owner can see that it is the same.  Before the
 * registry has answered, a second one would only stand behind the first.
 */
#ifndef CLUSTER_ASKS_H
#define CLUSTER_ASKS_H

#include <strelaysrv/question.h>

#include "cluster/messages/message.h"
#include "cluster/registry.h"

#define ASKS_LIMIT_MS 500
#define ASKS_AGAIN_MS (ASKS_LIMIT_MS / 2)
/* At the same time; more are settled at once, as if nobody had the device. */
#define ASKS_MOST 16384
/* Of these, for askers of one address; of IPv6, of one /48.  Those without an
 * address count together. */
#define ASKS_PER_SOURCE (ASKS_MOST / 4)
/* asks_tick() if there is nothing to do. */
#define ASKS_IDLE_MS 60000

enum asks_end {
	ASKS_MET,     /* the session is held at an address */
	ASKS_NOBODY,  /* nobody has the device */
	ASKS_LEFT,    /* its node says that it is not there any more */
	ASKS_REFUSED, /* by a rule of the owner's node */
	ASKS_FAILED,  /* the owner's node has no room, or an error */
	ASKS_LATE,    /* no answer in time */
	ASKS_AWAY,    /* the registry cannot be asked */
	ASKS_FULL,    /* ASKS_MOST, ASKS_PER_SOURCE, or memory is short */
	ASKS_ENDS
};
/* Words for metric labels, such as "met"; the last one is NULL. */
extern const char *const asks_end_words[ASKS_ENDS + 1];
const char *asks_end_word(enum asks_end end);

/* They may not call the functions below. */
struct asks_calls {
	/* As in struct registry_ops; the message is made by the caller. */
	int (*find)(void *arg, uint64_t number, const struct message_ask *ask);
	/* The owner is this node, which cannot serve its own client because it
	 * drains or is closed.  True: asks_answered() may follow. */
	bool (*ours)(void *arg, const struct message_ask *ask);
	/* `answer` only with ASKS_MET, else NULL. */
	void (*settle)(void *arg, const struct relay_ticket *ticket,
		enum asks_end end, const struct message_ask *ask,
		const struct message_answer *answer, int64_t took_ms);
};

struct asks;

/* `random` is before the first number, so that what was for another process
 * does not fit.  NULL: no memory. */
struct asks *asks_new(
	const struct asks_calls *calls, void *arg, uint64_t random);
/* Settles all that are left, as ASKS_AWAY. */
void asks_free(struct asks *asks);

/* ask->number is filled in.  asks_tick() may be due earlier then. */
void asks_begin(struct asks *asks, const struct relay_ticket *ticket,
	const struct message_ask *ask, int64_t now_ms);
/* From struct registry_calls.  Ignored if the ask is settled. */
void asks_found(
	struct asks *asks, uint64_t number, enum find_end end, int64_t now_ms);
/* Answers to unknown numbers, and second ones, are false. */
bool asks_answered(
	struct asks *asks, const struct message_answer *answer, int64_t now_ms);
/* Settles what is late.  The ms until the next call, 1 or more. */
int64_t asks_tick(struct asks *asks, int64_t now_ms);
unsigned asks_count(const struct asks *asks);

#endif
